/* Files that a pipeline includes: their sections stand in front of its own.
 *
 * A file is included once, however often it is named and by whatever path, so that two files may
 * share a third. What is wrong with a name that two files define is said here: a map of one file has
 * a key once. */
#include "yaml/expand.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/path.h"

typedef struct parts {
    RP_ARRAY(const rp_yaml_node *, nodes); /* sections of one name, in the order of the files */
} parts;

typedef struct includes {
    rp_reader *r;
    parts parts[RP_SECTIONS];
    rp_names files; /* what their paths lead to: identify() */
    uint32_t depth;
} includes;

static const char *const section_names[RP_SECTIONS] = {"params",   "blocks",  "live", "buffers",
                                                       "samplers", "kernels", "nodes"};

static bool add_file(includes *x, const rp_yaml_node *root, const rp_yaml_node *list);

/* What follows is silent about names: they may have been meant to come from there. */
static bool give_up(rp_reader *r) {
    r->param_names.broken = r->buffer_names.broken = r->kernel_names.broken =
        r->sampler_names.broken = r->block_names.broken = true;
    return false;
}

/* What a path leads to, as a text: "a.yaml", "./a.yaml" and "b/../a.yaml" are the same file. What
 * is not there is known by its path. */
static const char *identify(rp_reader *r, const char *path) {
    uint64_t id[2];
    size_t size = strlen(path) + 48;
    char *text = rp_make(r, size);
    if (!text) return NULL;
    if (rp_path_identity(path, id))
        snprintf(text, size, "%" PRIu64 ":%" PRIu64, id[0], id[1]);
    else
        snprintf(text, size, "missing %s", path);
    return text;
}

/* Files in which nothing is left to be read are closed. */
enum { FILE_CLOSED, FILE_OPEN };

static bool open_file(includes *x, const char *id) {
    return rp_names_add(&x->r->a, &x->files, &(rp_name){.text = id, .value = FILE_OPEN}) ||
           rp_read_no_memory(x->r);
}

/* The place may have moved: more were added. */
static void close_file(includes *x, const char *id) {
    for (uint32_t i = x->files.count; i-- > 0;)
        if (x->files.items[i].text == id) x->files.items[i].value = FILE_CLOSED;
}

/* Keeps the path with the pipeline's files; whoever has it may read it as long. */
static bool keep_path(includes *x, char *path) {
    rp_reader *r = x->r;
    rp_pipeline *p = r->pipeline;
    if (!RP_RESERVE(&r->a, p->files, p->files_count, p->files_capacity, 1)) {
        rp_release(&r->a, path);
        return rp_read_no_memory(r);
    }
    p->files[p->files_count++] = path;
    return true;
}

static bool parse_file(includes *x, const rp_yaml_node *at, const char *path,
                       const rp_yaml_node **out) {
    rp_reader *r = x->r;
    char *text, why[RP_FILE_WHY];
    uint32_t size;
    rp_yaml *yaml = NULL;
    rp_status status = rp_file_read(&r->a, path, RP_YAML_MAX_BYTES, &text, &size, why);
    if (status == RP_ERROR_NO_MEMORY) return rp_read_no_memory(r);
    if (status != RP_OK) return rp_read_error(r, at, "cannot read '%s': %s", path, why);
    status = rp_yaml_parse(&r->a, text, size, path, r->diags, &yaml);
    rp_release(&r->a, text);
    if (status == RP_ERROR_NO_MEMORY) return rp_read_no_memory(r);
    r->failed |= status != RP_OK;
    if (status != RP_OK) return false;
    if (!RP_RESERVE(&r->a, r->included, r->included_count, r->included_capacity, 1)) {
        rp_yaml_destroy(yaml);
        return rp_read_no_memory(r);
    }
    r->included[r->included_count++] = yaml;
    *out = rp_yaml_root(yaml);
    return true;
}

static bool read_included(includes *x, const rp_yaml_node *at, const char *path) {
    static const char *const keys[] = {"reprise", "include",  "params",  "blocks", "live",
                                       "buffers", "samplers", "kernels", "nodes",  NULL};
    rp_reader *r = x->r;
    rp_yaml_origin *origin = rp_make(r, sizeof *origin);
    const rp_yaml_node *root;
    if (!origin || !parse_file(x, at, path, &root)) return false;
    *origin =
        (rp_yaml_origin){.kind = RP_ORIGIN_INCLUDE, .outer = at->origin, .at = at, .file = path};
    rp_yaml_set_origin(r->included[r->included_count - 1], origin);
    if (!rp_read_map(r, root, "an included file", keys)) return false;
    const rp_yaml_node *version = rp_yaml_find(root, "reprise");
    if (version && !rp_yaml_is(version, "1"))
        return rp_read_error(r, version, "this version of Reprise reads version 1 of the format");
    x->depth++;
    bool good = add_file(x, root, rp_yaml_find(root, "include"));
    x->depth--;
    return good;
}

static bool include(includes *x, const rp_yaml_node *at) {
    rp_reader *r = x->r;
    if (!rp_read_text(r, at, "include")) return false;
    char *path = rp_read_path(r, at);
    if (!path) return false;
    const char *id = identify(r, path);
    const rp_name *known = id ? rp_names_find(&x->files, id, strlen(id)) : NULL;
    bool good = id != NULL;
    if (known && known->value == FILE_OPEN)
        good = rp_read_error(r, at, "'%s' includes itself", path);
    if (good && !known && x->depth == RP_EXPAND_MAX_USES)
        good = rp_read_error(r, at, "files include files more than %d deep", RP_EXPAND_MAX_USES);
    if (!good || known) {
        rp_release(&r->a, path);
        return good;
    }
    if (!keep_path(x, path) || !open_file(x, id)) return false;
    good = read_included(x, at, path);
    close_file(x, id);
    return good;
}

/* The files that one includes, and then its own sections. */
static bool add_file(includes *x, const rp_yaml_node *root, const rp_yaml_node *list) {
    rp_reader *r = x->r;
    bool good = true;
    if (list && rp_yaml_is_null(list)) list = NULL;
    if (list && list->kind == RP_YAML_MAP) {
        good = rp_read_error(r, list, "'include' is a list of files, not a map");
        list = NULL;
    }
    uint32_t count = !list ? 0 : list->kind == RP_YAML_LIST ? list->count : 1;
    for (uint32_t i = 0; i < count && !r->no_memory; i++)
        good &= include(x, list->kind == RP_YAML_LIST ? list->items[i] : list);
    for (uint32_t i = 0; i < RP_SECTIONS; i++) {
        const rp_yaml_node *node = rp_yaml_find(root, section_names[i]);
        parts *p = &x->parts[i];
        if (!node || rp_yaml_is_null(node)) continue;
        if (!RP_RESERVE(&r->a, p->nodes, p->nodes_count, p->nodes_capacity, 1))
            return rp_read_no_memory(r);
        p->nodes[p->nodes_count++] = node;
    }
    return good;
}

/* Adds the pairs of a map whose keys nobody has yet. */
static bool join_map(rp_reader *r, const rp_yaml_node *map, rp_names *names,
                     const rp_yaml_node **items, uint32_t *count) {
    bool good = true;
    for (uint32_t i = 0; i < map->count; i++) {
        const rp_yaml_node *key = rp_yaml_key(map, i);
        const rp_name *other = rp_names_find(names, key->text, key->length);
        bool computed = strchr(key->text, '{'); /* what it is, each repetition tells */
        if (other && !computed) {
            const char *file = rp_read_file(r, other->node);
            good = rp_read_error(r, key, "'%s' is defined in %s at line %u already", key->text,
                                 file ? file : "the pipeline", other->node->line);
            continue;
        }
        items[2 * *count] = key;
        items[2 * (*count)++ + 1] = rp_yaml_value(map, i);
        if (!other && !rp_names_add(&r->a, names, &(rp_name){key->text, key, 0}))
            return rp_read_no_memory(r);
    }
    return good;
}

/* One section of all that files have of it. */
static const rp_yaml_node *join(rp_reader *r, const parts *p, uint32_t section) {
    bool is_list = section == RP_SECTIONS - 1;
    char what[16] = "'";
    strcat(strcat(what, section_names[section]), "'");
    if (p->nodes_count <= 1) return p->nodes_count ? p->nodes[0] : NULL;
    uint64_t most = 0;
    uint32_t count = 0;
    for (uint32_t i = 0; i < p->nodes_count; i++) most += p->nodes[i]->count;
    if (most > RP_YAML_MAX_VALUES) {
        rp_read_error(r, p->nodes[0], "%s of all files have more than %d entries", what,
                      RP_YAML_MAX_VALUES);
        return NULL;
    }
    const rp_yaml_node **items = rp_make(r, (is_list ? 1 : 2) * (size_t)most * sizeof *items);
    rp_names names = {0};
    for (uint32_t i = 0; items && i < p->nodes_count && !r->no_memory; i++) {
        const rp_yaml_node *node = p->nodes[i];
        if (is_list ? !rp_read_list(r, node, what) : !rp_read_map(r, node, what, NULL)) continue;
        if (!is_list)
            join_map(r, node, &names, items, &count);
        else
            for (uint32_t k = 0; k < node->count; k++) items[count++] = node->items[k];
    }
    rp_names_free(&r->a, &names);
    if (!items || r->no_memory) return NULL;
    const rp_yaml_node *last = p->nodes[p->nodes_count - 1];
    return rp_make_list(r, last, is_list ? RP_YAML_LIST : RP_YAML_MAP, items, count, last->origin);
}

bool rp_read_includes(rp_reader *r, const rp_yaml_node *root, rp_sections *out) {
    includes x = {.r = r};
    const rp_yaml_node *all[RP_SECTIONS] = {0};
    const rp_yaml_node *list = rp_yaml_find(root, "include");
    const char *own = list && r->file ? identify(r, r->file) : NULL;
    bool good = (!own || open_file(&x, own)) && add_file(&x, root, list);
    if (!good) give_up(r);
    for (uint32_t i = 0; i < RP_SECTIONS; i++) {
        if (!r->no_memory) all[i] = join(r, &x.parts[i], i);
        rp_release(&r->a, x.parts[i].nodes);
    }
    rp_names_free(&r->a, &x.files);
    *out = (rp_sections){all[0], all[1], all[2], all[3], all[4], all[5], all[6]};
    return good;
}
