/* What a kernel is built from: its file, macros, folders for #include, and a prelude. */
#include "yaml/pipeline.h"

#include <stdio.h>

enum {
    MAX_GLSL_BYTES = 4 << 20,
    MAX_SPIRV_BYTES = 64 << 20,
    MAX_DEFINES = 256,
    MAX_FOLDERS = 256,
};

/* ---- Defines --------------------------------------------------------------------------------- */

static size_t identifier(const char *text) {
    size_t length = 0;
    if (*text >= '0' && *text <= '9') return 0;
    for (char c; (c = text[length]); length++)
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_'))
            break;
    return length;
}

/* "F", or "F(a, b)": whether its parameters are some is for the compiler of GLSL to say. */
static bool is_macro(const char *text) {
    size_t name = identifier(text), length = strlen(text);
    if (name == 0 || text[name] == '\0') return name > 0;
    return text[name] == '(' && text[length - 1] == ')' && !strpbrk(text, "=\r\n");
}

/* Writes "NAME=VALUE". true is 1, nothing is an empty definition, $(expression) is its value. */
static bool define_text(rp_reader *r, const rp_yaml_node *key, const rp_yaml_node *value,
                        rp_text *text) {
    if (!is_macro(key->text))
        return rp_read_error(r, key,
                             "define '%.*s' is neither an identifier nor a macro with parameters, "
                             "'F(a, b)'",
                             RP_CLIP(key));
    if (value->kind != RP_YAML_SCALAR)
        return rp_read_error(r, value, "a define is text, a number, true or false, not %s",
                             rp_yaml_kind_name(value));
    rp_text_string(text, key->text);
    if (rp_yaml_is_null(value)) return true;
    rp_text_char(text, '=');
    if (rp_read_bool(value) == 1) {
        rp_text_char(text, '1');
    } else if (strncmp(value->text, "$(", 2) == 0 && value->text[value->length - 1] == ')') {
        rp_yaml_node inner = *value;
        char *copy = rp_dup(&r->a, value->text + 2, value->length - 2);
        if (!copy) return rp_read_no_memory(r);
        inner.length = value->length - 3;
        copy[inner.length] = '\0';
        inner.text = copy;
        inner.text_column += 2;
        rp_value number;
        uint32_t start = text->size;
        bool good = rp_read_expr(r, &inner, "define", RP_PARAMS_ONLY, &number, NULL);
        rp_release(&r->a, copy);
        if (!good) return false;
        rp_value_print(text, &number);
        if (!text->failed) rp_flat_text(r, value, text->data + start);
    } else {
        if (strpbrk(value->text, "\r\n"))
            return rp_read_error(r, value, "a define is one line of text");
        rp_text_string(text, value->text);
    }
    return true;
}

/* The defines as "NAME=VALUE" texts, back to back in `text`. A define that is `false` is left out.
 */
static bool read_defines(rp_reader *r, const rp_yaml_node *node, rp_text *text,
                         uint32_t starts[MAX_DEFINES], uint32_t *count) {
    *count = 0;
    if (!node) return true;
    if (!rp_read_map(r, node, "'defines'", NULL)) return false;
    if (node->count > MAX_DEFINES)
        return rp_read_error(r, node, "more than %d defines", MAX_DEFINES);
    bool good = true;
    for (uint32_t i = 0; i < node->count; i++) {
        const rp_yaml_node *value = rp_yaml_value(node, i);
        if (rp_read_bool(value) == 0) continue;
        starts[(*count)++] = text->size;
        good &= define_text(r, rp_yaml_key(node, i), value, text);
        rp_text_append(text, "", 1);
    }
    return text->failed ? rp_read_no_memory(r) : good;
}

/* ---- Folders, prelude ------------------------------------------------------------------------ */

static bool add_folder(rp_reader *r, rp_shader_text *x, const char *path) {
    if (!RP_RESERVE(&r->a, x->folders, x->folders_count, x->folders_capacity, 1))
        return rp_read_no_memory(r);
    x->folders[x->folders_count++] = path;
    return true;
}

/* One folder or a list of them, relative to the pipeline's; behind them those of whoever reads it. */
static bool read_folders(rp_reader *r, const rp_yaml_node *node, rp_shader_text *x) {
    const rp_yaml_node *const *items = node && node->kind == RP_YAML_LIST ? node->items : &node;
    uint32_t count = !node ? 0 : node->kind == RP_YAML_LIST ? node->count : 1;
    if (count > MAX_FOLDERS)
        return rp_read_error(r, node, "more than %d include folders", MAX_FOLDERS);
    bool good = true;
    for (uint32_t i = 0; i < count; i++) {
        if (!rp_read_text(r, items[i], "include")) {
            good = false;
            continue;
        }
        char *path = rp_read_path(r, items[i]);
        if (!path) return false;
        if (!add_folder(r, x, path)) {
            rp_release(&r->a, path);
            return false;
        }
        x->own_folders++;
    }
    for (uint32_t i = 0; i < r->source->include_folder_count; i++)
        if (!add_folder(r, x, r->source->include_folders[i])) return false;
    return good;
}

/* Reads the file that a text names, a shader's; *path and *text are allocated. */
static bool read_shader_file(rp_reader *r, const rp_yaml_node *node, const char *what,
                             uint32_t most, char **path, char **text, uint32_t *size) {
    char why[RP_FILE_WHY];
    if (!rp_read_text(r, node, what)) return false;
    *path = rp_read_path(r, node);
    if (!*path) return false;
    rp_status status = rp_file_read(&r->a, *path, most, text, size, why);
    if (status == RP_ERROR_NO_MEMORY) return rp_read_no_memory(r);
    if (status != RP_OK) return rp_read_error(r, node, "cannot read '%s': %s", *path, why);
    return true;
}

static bool check_glsl(rp_reader *r, const rp_yaml_node *node, const char *path, const char *text,
                       uint32_t size) {
    if (!memchr(text, '\0', size)) return true;
    return rp_read_error(r, node, "'%s' is not GLSL: it holds a zero byte", path);
}

static bool read_prelude(rp_reader *r, const rp_yaml_node *node, rp_shader_text *x,
                         rp_kernel_params *params) {
    uint32_t size;
    if (!node) return true;
    if (!read_shader_file(r, node, "prelude", MAX_GLSL_BYTES, &x->prelude_path, &x->prelude, &size))
        return false;
    params->prelude = x->prelude;
    params->prelude_file = x->prelude_path;
    return check_glsl(r, node, x->prelude_path, x->prelude, size);
}

/* ---- All of it ------------------------------------------------------------------------------- */

static bool read_source(rp_reader *r, const rp_yaml_node *key, const rp_yaml_node *node,
                        rp_shader_text *x, rp_kernel_params *params) {
    const rp_yaml_node *glsl = rp_yaml_find(node, "glsl"), *spirv = rp_yaml_find(node, "spirv");
    uint32_t size = 0;
    x->source = glsl ? glsl : spirv;
    if (!x->source || (glsl && spirv))
        return rp_read_error(r, x->source ? x->source : key,
                             "kernel '%s' needs 'glsl' or 'spirv', one of the two", key->text);
    if (!read_shader_file(r, x->source, glsl ? "glsl" : "spirv",
                          glsl ? MAX_GLSL_BYTES : MAX_SPIRV_BYTES, &x->path, &x->text, &size))
        return false;
    if (glsl) {
        params->glsl = x->text;
        params->glsl_file = x->path;
        return check_glsl(r, glsl, x->path, x->text, size);
    }
    params->spirv = (const uint32_t *)(const void *)x->text; /* as aligned as any allocation */
    params->spirv_size = size;
    return true;
}

/* What is for GLSL alone stands at no SPIR-V. */
static bool check_keys(rp_reader *r, const rp_yaml_node *node) {
    static const char *const of_glsl[] = {"defines", "include", "prelude"};
    bool good = true;
    for (uint32_t i = 0; i < sizeof of_glsl / sizeof *of_glsl && rp_yaml_find(node, "spirv"); i++) {
        const rp_yaml_node *found = rp_yaml_find(node, of_glsl[i]);
        if (found)
            good =
                rp_read_error(r, found, "'%s' is for GLSL: SPIR-V is compiled already", of_glsl[i]);
    }
    return good;
}

bool rp_read_shader(rp_reader *r, const rp_yaml_node *key, const rp_yaml_node *node,
                    rp_shader_text *x, rp_kernel_params *params) {
    static const char *const keys[] = {"glsl",    "spirv", "entry",  "defines", "include",
                                       "prelude", "spec",  "arrays", NULL};
    if (!rp_read_name(r, key, "kernel") || !rp_read_map(r, node, "a kernel", keys)) return false;
    const rp_yaml_node *entry = rp_yaml_find(node, "entry");
    if (entry && !rp_read_text(r, entry, "entry")) return false;
    if (!check_keys(r, node)) return false;
    uint32_t starts[MAX_DEFINES];
    *params = (rp_kernel_params){
        .size = sizeof *params, .name = key->text, .entry = entry ? entry->text : NULL};
    const rp_yaml_node *arrays = rp_yaml_find(node, "arrays");
    int64_t elements = 0;
    if (arrays && !rp_read_integer(r, arrays, "arrays", 1, 4096, &elements)) return false;
    params->array_elements = (uint32_t)elements;
    bool good =
        read_defines(r, rp_yaml_find(node, "defines"), &x->defines, starts, &params->define_count);
    if (good && params->define_count) {
        x->define_list = rp_alloc(&r->a, params->define_count, sizeof *x->define_list);
        if (!x->define_list) return rp_read_no_memory(r);
        for (uint32_t i = 0; i < params->define_count; i++)
            x->define_list[i] = x->defines.data + starts[i];
        params->defines = x->define_list;
    }
    good &= read_folders(r, rp_yaml_find(node, "include"), x);
    good = good && read_prelude(r, rp_yaml_find(node, "prelude"), x, params);
    params->include_folders = x->folders;
    params->include_folder_count = x->folders_count;
    return good && read_source(r, key, node, x, params);
}

void rp_free_shader(rp_reader *r, rp_shader_text *x) {
    for (uint32_t i = 0; i < x->own_folders; i++) rp_release(&r->a, (void *)x->folders[i]);
    rp_release(&r->a, x->folders);
    rp_release(&r->a, x->path);
    rp_release(&r->a, x->text);
    rp_release(&r->a, x->prelude_path);
    rp_release(&r->a, x->prelude);
    rp_release(&r->a, (void *)x->define_list);
    rp_text_free(&x->defines);
}
