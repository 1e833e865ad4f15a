/* Declarations in .rpir text: `buf`, `kern` and `samp` lines. A name is remembered even when the rest of
 * its line is wrong, so that its users are not reported as well. */
#include "base/image.h"
#include "base/number.h"
#include "base/shape.h"
#include "graph/keywords.h"
#include "text/parse.h"

/* ---- Buffers --------------------------------------------------------------------------------- */

bool rp_parse_type(rp_parser *p, const char *what, rp_parsed_type *out) {
    rp_token t = p->lx.token, over = t; /* over: the dimension that is too much */
    uint64_t bytes;
    *out = (rp_parsed_type){.first_dim = p->g->dims_count};
    if (t.kind != RP_TOKEN_WORD || !rp_dtype_parse(t.text, t.length, &out->dtype) ||
        out->dtype == RP_RAW)
        return rp_parse_expected(p, what);
    rp_lex_next(&p->lx);
    if (!rp_parse_expect(p, '[', "behind the element type")) return false;
    bytes = rp_dtype_block((rp_dtype)out->dtype) > 1 ? 1 : rp_dtype_size((rp_dtype)out->dtype);
    while (p->lx.token.mark != ']' || out->rank > 0) {
        rp_token at = p->lx.token;
        if (out->rank == RP_MAX_RANK)
            return RP_FAIL(p, &at, "a shape has at most %d dimensions", RP_MAX_RANK);
        if (!rp_parse_dim(p)) return false;
        if (over.text == t.text && !rp_mul_u64(bytes, p->g->dims[p->g->dims_count - 1], &bytes))
            over = at;
        out->rank++;
        if (!rp_parse_accept(p, ',')) break;
    }
    if (!rp_parse_expect(p, ']', "behind the dimensions")) return false;
    const uint64_t *dims = p->g->dims + out->first_dim;
    rp_dtype dtype = (rp_dtype)out->dtype;
    if (!rp_shape_has_blocks(dtype, out->rank, dims))
        return RP_FAIL(p, &t, "the last dimension of a %s shape is a multiple of %u",
                       rp_dtype_name(dtype), rp_dtype_block(dtype));
    return rp_shape_bytes(dtype, out->rank, dims, &out->size) ||
           RP_FAIL(p, &over, "the shape needs more bytes than 64 bits can count");
}

bool rp_parse_image(rp_parser *p, rp_graph_buffer *b) {
    rp_token first = p->lx.token, t = rp_parse_take(p);
    uint32_t extents[3] = {1, 1, 1}, mips = 1;
    rp_image_shape *s = &b->image;
    s->layers = 1;
    if (t.kind != RP_TOKEN_WORD || !rp_image_dim_parse(t.text, t.length, &s->dim))
        return RP_FAIL(p, &t, "expected 1d, 2d, 3d or cube, found %s", rp_parse_show(&t).text);
    t = rp_parse_take(p);
    if (t.kind != RP_TOKEN_WORD || !rp_image_format_parse(t.text, t.length, &s->format))
        return RP_FAIL(p, &t, "expected a format like rgba8, found %s", rp_parse_show(&t).text);
    uint32_t rank = s->dim == RP_IMAGE_1D ? 1 : s->dim == RP_IMAGE_3D ? 3 : 2;
    if (!rp_parse_expect(p, '[', "and the extents")) return false;
    for (uint32_t i = 0; i < rank; i++)
        if ((i && !rp_parse_expect(p, ',', "and the next extent")) ||
            !rp_parse_u32(p, "an extent", &extents[i]))
            return false;
    if (!rp_parse_expect(p, ']', "behind the extents")) return false;
    if (rp_parse_accept_word(p, "layers") && !rp_parse_u32(p, "the layers", &s->layers))
        return false;
    if (rp_parse_accept_word(p, "mips") && !rp_parse_u32(p, "the mips", &mips)) return false;
    s->width = extents[0];
    s->height = extents[1];
    s->depth = extents[2];
    s->mips = mips > UINT16_MAX ? 0 : (uint16_t)mips;
    const char *wrong = rp_image_wrong(s);
    if (wrong) return RP_FAIL(p, &first, "there is no such image: %s", wrong);
    b->size = rp_image_bytes(s);
    return true;
}

/* "16384", "f32[64,128]" or "image 2d rgba8[512,512]". */
static bool parse_size(rp_parser *p, rp_graph_buffer *b) {
    rp_token t = p->lx.token;
    rp_parsed_type type;
    if (t.kind == RP_TOKEN_WORD && *t.text >= '0' && *t.text <= '9')
        return rp_parse_number(p, "the size in bytes", UINT64_MAX, &b->size);
    if (rp_parse_accept_word(p, "image")) return rp_parse_image(p, b);
    if (!rp_parse_type(p, "the size in bytes, a type like f32[64], or 'image'", &type))
        return false;
    b->dtype = type.dtype;
    b->rank = type.rank;
    b->first_dim = type.first_dim;
    b->size = type.size;
    return true;
}

/* "$gain[0+4] at 8, ..." behind `follows`. */
static bool parse_follows(rp_parser *p, rp_graph_buffer *b) {
    rp_graph *g = p->g;
    b->first_follow = g->follows_count;
    do {
        rp_graph_use from;
        uint32_t to;
        rp_token t = p->lx.token;
        if (!rp_parse_range(p, &from)) return false;
        if (!rp_parse_accept_word(p, "at"))
            return rp_parse_expected(p, "'at' and the byte to which these follow");
        if (!rp_parse_u32(p, "the byte", &to)) return false;
        if (from.offset > UINT32_MAX || from.size > UINT32_MAX)
            return RP_FAIL(p, &t, "a live buffer has at most %d bytes", RP_MAX_LIVE_BYTES);
        if (!RP_RESERVE(p->a, g->follows, g->follows_count, g->follows_capacity, 1))
            return rp_parse_no_memory(p);
        g->follows[g->follows_count++] =
            (rp_graph_follow){from.buffer, (uint32_t)from.offset, to, (uint32_t)from.size};
        b->follow_count++;
    } while (rp_parse_accept(p, ','));
    return true;
}

static bool parse_buffer_rest(rp_parser *p, const rp_token *name, rp_graph_buffer *b) {
    rp_token kind = p->lx.token;
    if (kind.kind != RP_TOKEN_WORD || !rp_buffer_kind_parse(kind.text, kind.length, &b->kind))
        return rp_parse_expected(p, "in, out, inout, weight, tmp or live");
    rp_lex_next(&p->lx);
    if ((b->kind == RP_TMP) != (name->kind == RP_TOKEN_TRANSIENT))
        return RP_FAIL(p, name, "%s is %s: write '%c%.*s'", rp_parse_show(name).text,
                       b->kind == RP_TMP ? "a transient" : "not a transient",
                       b->kind == RP_TMP ? '%' : '$', (int)(name->length < 60 ? name->length : 60),
                       name->text);
    if (!parse_size(p, b)) return false;
    bool image = rp_buffer_is_image(b);
    b->tagged = rp_parse_accept_word(p, "tagged");
    if (rp_parse_accept_word(p, image ? "alias" : "at") &&
        !rp_parse_number(p, image ? "the alias set" : "the arena offset", UINT64_MAX - 1,
                         &b->offset))
        return false;
    uint32_t count = 0;
    rp_token data = p->lx.token;
    if (rp_parse_accept(p, '=')) {
        if (b->kind != RP_LIVE) return RP_FAIL(p, &data, "only live buffers have initial values");
        if (!rp_parse_hex_bytes(p, "the initial value", RP_MAX_LIVE_BYTES, &b->first_default,
                                &count))
            return false;
        if (count != b->size)
            return RP_FAIL(p, &data, "the initial value has %u bytes, the buffer %llu", count,
                           (unsigned long long)b->size);
    }
    if (rp_parse_accept_word(p, "max") && !rp_parse_u32(p, "the largest value", &b->max_value))
        return false;
    if (rp_parse_accept_word(p, "follows") && !parse_follows(p, b)) return false;
    return rp_parse_line_end(p);
}

bool rp_parse_buffer(rp_parser *p) {
    rp_token name = rp_parse_take(p);
    rp_graph_buffer b = {.offset = RP_NOT_PLACED,
                         .first_default = RP_NONE,
                         .max_value = UINT32_MAX,
                         .pos = {name.line, name.column}};
    if (name.kind != RP_TOKEN_EXTERNAL && name.kind != RP_TOKEN_TRANSIENT) {
        if (name.kind != RP_TOKEN_NEWLINE) rp_parse_poison(p, &p->buffers, &name);
        return RP_FAIL(p, &name, "expected '$name' or '%%name', found %s",
                       rp_parse_show(&name).text);
    }
    if (!rp_parse_name(p, &name, &b.name)) {
        rp_parse_poison(p, &p->buffers, &name);
        return false;
    }
    uint32_t other;
    if (rp_table_find(&p->buffers, b.name, &other) && other != RP_POISONED)
        return RP_FAIL(p, &name, "there is another buffer %s", rp_parse_show(&name).text);
    bool ok = parse_buffer_rest(p, &name, &b);
    uint32_t index = RP_POISONED;
    if (ok && (index = rp_graph_add_buffer(p->g, &b, NULL)) == RP_NONE)
        return rp_parse_no_memory(p);
    if (!rp_table_set(p->a, &p->buffers, b.name, index)) return rp_parse_no_memory(p);
    return ok;
}

/* ---- Kernels --------------------------------------------------------------------------------- */

/* "0.5" */
static bool parse_binding(rp_parser *p, rp_graph_param *param) {
    rp_token t = rp_parse_take(p);
    const char *dot = memchr(t.text, '.', t.length);
    size_t left = dot ? (size_t)(dot - t.text) : 0;
    uint64_t set, binding;
    bool overflow;
    if (!dot || !rp_lex_decimal(t.text, left, &set, &overflow) ||
        !rp_lex_decimal(dot + 1, t.length - left - 1, &binding, &overflow) || set > 255 ||
        binding > 255)
        return RP_FAIL(p, &t, "expected a binding as SET.BINDING, both at most 255, found %s",
                       rp_parse_show(&t).text);
    param->set = (uint8_t)set;
    param->binding = (uint8_t)binding;
    return true;
}

/* "skip 4" */
static bool parse_skip(rp_parser *p, rp_graph_param *param) {
    uint32_t skip;
    if (!rp_parse_accept_word(p, "skip")) return true;
    rp_token t = p->lx.token;
    if (!rp_parse_u32(p, "the bytes to skip", &skip)) return false;
    if (skip == 0 || skip >= RP_ARENA_ALIGNMENT)
        return RP_FAIL(p, &t, "a kernel skips 1 to %d bytes of what is bound, not %u",
                       RP_ARENA_ALIGNMENT - 1, skip);
    param->skip = (uint8_t)skip;
    return true;
}

/* What a parameter is, where it is no buffer: "image 2d rgba8", "combined cube float", "sampler",
 * "texels r32f"; and "x 4" for an array. */
static bool parse_resource(rp_parser *p, rp_graph_param *param) {
    rp_token t = p->lx.token;
    if (t.kind == RP_TOKEN_WORD && rp_resource_parse(t.text, t.length, &param->resource)) {
        rp_lex_next(&p->lx);
        bool viewed =
            param->resource == RP_RESOURCE_IMAGE || param->resource == RP_RESOURCE_COMBINED;
        if (viewed) {
            t = rp_parse_take(p);
            if (t.kind != RP_TOKEN_WORD || !rp_view_parse(t.text, t.length, &param->view))
                return RP_FAIL(p, &t, "expected a view like 2d or cube_array, found %s",
                               rp_parse_show(&t).text);
        }
        if (viewed || param->resource == RP_RESOURCE_TEXELS) {
            t = rp_parse_take(p);
            bool format =
                t.kind == RP_TOKEN_WORD && rp_image_format_parse(t.text, t.length, &param->format);
            if (format)
                param->texel = (uint8_t)rp_image_format_get((rp_image_format)param->format).texel;
            else if (t.kind != RP_TOKEN_WORD || !rp_texel_parse(t.text, t.length, &param->texel))
                return RP_FAIL(p, &t, "expected a format, or float, int or uint, found %s",
                               rp_parse_show(&t).text);
        }
    }
    return !rp_parse_accept_word(p, "x") || rp_parse_u32(p, "the elements", &param->elements);
}

static bool parse_params(rp_parser *p, rp_graph_kernel *k) {
    rp_graph *g = p->g;
    if (!rp_parse_expect(p, '(', "and the kernel's parameters")) return false;
    k->first_param = g->params_count;
    if (rp_parse_accept(p, ')')) return true;
    do {
        rp_token t = p->lx.token;
        rp_graph_param param = {.binding = (uint8_t)k->param_count, .name = RP_NONE};
        if (t.kind != RP_TOKEN_WORD || !rp_access_parse(t.text, t.length, &param.access))
            return rp_parse_expected(p, "r, w, rw, u or s");
        rp_lex_next(&p->lx);
        rp_token place = p->lx.token;
        if (place.kind == RP_TOKEN_WORD && *place.text >= '0' && *place.text <= '9') {
            if (!parse_binding(p, &param)) return false;
        } else if (k->param_count > 255) {
            return RP_FAIL(p, &t, "a set has at most 256 bindings: write SET.BINDING");
        }
        if (!parse_skip(p, &param) || !parse_resource(p, &param)) return false;
        if (!RP_RESERVE(p->a, g->params, g->params_count, g->params_capacity, 1))
            return rp_parse_no_memory(p);
        g->params[g->params_count++] = param;
        k->param_count++;
    } while (rp_parse_accept(p, ','));
    return rp_parse_expect(p, ')', "behind the parameters");
}

/* As many digits as the constant has. */
static bool parse_spec_value(rp_parser *p, rp_graph_spec *spec) {
    rp_token t = rp_parse_take(p);
    bool known = t.length == 2 || t.length == 4 || t.length == 8 || t.length == 16;
    if (!known || !rp_parse_is_hex(&t))
        return RP_FAIL(p, &t, "expected its value as 2, 4, 8 or 16 hexadecimal digits, found %s",
                       rp_parse_show(&t).text);
    spec->bytes = (uint32_t)t.length / 2;
    spec->value = 0;
    for (size_t i = 0; i < t.length; i++)
        spec->value = spec->value << 4 | rp_lex_hex_digit(t.text[i]);
    return true;
}

/* "0=00000010 1=3f800000 2=3c00" */
static bool parse_specs(rp_parser *p, rp_graph_kernel *k) {
    rp_graph *g = p->g;
    k->first_spec = g->specs_count;
    do {
        rp_graph_spec spec;
        if (!rp_parse_u32(p, "a specialisation constant's id", &spec.id) ||
            !rp_parse_expect(p, '=', "behind the id") || !parse_spec_value(p, &spec))
            return false;
        if (!RP_RESERVE(p->a, g->specs, g->specs_count, g->specs_capacity, 1))
            return rp_parse_no_memory(p);
        g->specs[g->specs_count++] = spec;
        k->spec_count++;
    } while (p->lx.token.kind == RP_TOKEN_WORD);
    return true;
}

/* "-" or the hash of the SPIR-V. */
static bool parse_body(rp_parser *p, rp_graph_kernel *k) {
    if (!rp_parse_accept_word(p, "spirv")) return rp_parse_expected(p, "'spirv'");
    rp_token t = rp_parse_take(p);
    if (rp_parse_word_is(&t, "-")) return true;
    if (!rp_parse_is_hex(&t) || t.length > 16)
        return RP_FAIL(p, &t, "expected '-' or a hash of up to 16 hexadecimal digits, found %s",
                       rp_parse_show(&t).text);
    for (size_t i = 0; i < t.length; i++) k->hash = k->hash << 4 | rp_lex_hex_digit(t.text[i]);
    return k->hash != 0 || RP_FAIL(p, &t, "0 is no hash; a kernel without a body is 'spirv -'");
}

static bool parse_kernel_rest(rp_parser *p, rp_graph_kernel *k) {
    if (!parse_body(p, k)) return false;
    if (rp_parse_accept_word(p, "entry") &&
        !rp_parse_string(p, "the entry point as a string", &k->entry))
        return false;
    if (!rp_parse_accept_word(p, "local")) return rp_parse_expected(p, "'local X Y Z'");
    for (int i = 0; i < 3; i++)
        if (!rp_parse_u32(p, "the workgroup size", &k->local[i])) return false;
    if (rp_parse_accept_word(p, "shared") && !rp_parse_u32(p, "the shared bytes", &k->shared_bytes))
        return false;
    if (rp_parse_accept_word(p, "push") &&
        !rp_parse_u32(p, "the push-constant bytes", &k->push_bytes))
        return false;
    if (rp_parse_accept_word(p, "spec") && !parse_specs(p, k)) return false;
    if (p->lx.token.mark != '(')
        return rp_parse_expected(
            p, "'shared', 'push', 'spec' (in this order) or '(' and the parameters");
    return parse_params(p, k) && rp_parse_line_end(p);
}

bool rp_parse_kernel(rp_parser *p) {
    rp_token name = rp_parse_take(p);
    rp_graph_kernel k = {.pos = {name.line, name.column}};
    if (name.kind != RP_TOKEN_KERNEL) {
        if (name.kind != RP_TOKEN_NEWLINE) rp_parse_poison(p, &p->kernels, &name);
        return RP_FAIL(p, &name, "expected '@name', found %s", rp_parse_show(&name).text);
    }
    if (!rp_parse_name(p, &name, &k.name)) {
        rp_parse_poison(p, &p->kernels, &name);
        return false;
    }
    uint32_t other;
    if (rp_table_find(&p->kernels, k.name, &other) && other != RP_POISONED)
        return RP_FAIL(p, &name, "there is another kernel %s", rp_parse_show(&name).text);
    k.entry = rp_graph_intern(p->g, "main", 4);
    if (k.entry == RP_NONE) return rp_parse_no_memory(p);
    bool ok = parse_kernel_rest(p, &k);
    uint32_t index = RP_POISONED;
    if (ok && (index = rp_graph_add_kernel(p->g, &k, NULL, NULL, NULL)) == RP_NONE)
        return rp_parse_no_memory(p);
    if (!rp_table_set(p->a, &p->kernels, k.name, index)) return rp_parse_no_memory(p);
    return ok;
}

/* ---- Samplers -------------------------------------------------------------------------------- */

/* "mag=nearest" */
static bool parse_sampler_field(rp_parser *p, rp_sampler_info *info) {
    rp_token t = rp_parse_take(p);
    const rp_sampler_field *field =
        t.kind == RP_TOKEN_WORD ? rp_sampler_find_field(t.text, t.length) : NULL;
    if (!field)
        return RP_FAIL(p, &t, "expected a field of a sampler like mag, found %s",
                       rp_parse_show(&t).text);
    if (!rp_parse_expect(p, '=', "behind the field")) return false;
    t = rp_parse_take(p);
    double number = 0;
    bool ok = t.kind == RP_TOKEN_WORD;
    if (ok && field->kind != RP_SAMPLER_NUMBER)
        ok = rp_sampler_set_word(info, field, t.text, t.length);
    else if (ok)
        ok = rp_number_parse(t.text, t.length, &number);
    const float value = (float)number;
    if (ok && field->kind == RP_SAMPLER_NUMBER)
        memcpy((uint8_t *)info + field->offset, &value, sizeof value);
    return ok || RP_FAIL(p, &t, "%s is %s%s, not %s", field->name,
                         field->kind == RP_SAMPLER_NUMBER ? "" : "one of ", rp_sampler_words(field),
                         rp_parse_show(&t).text);
}

static bool parse_sampler_rest(rp_parser *p, rp_graph_sampler *s) {
    if (!rp_parse_expect(p, '(', "and the fields that are not the default")) return false;
    if (!rp_parse_accept(p, ')')) {
        do {
            if (!parse_sampler_field(p, &s->info)) return false;
        } while (rp_parse_accept(p, ','));
        if (!rp_parse_expect(p, ')', "behind the fields")) return false;
    }
    return rp_parse_line_end(p);
}

bool rp_parse_sampler(rp_parser *p) {
    rp_token name = rp_parse_take(p);
    rp_graph_sampler s = {.info = rp_sampler_default, .pos = {name.line, name.column}};
    if (name.kind != RP_TOKEN_KERNEL) {
        if (name.kind != RP_TOKEN_NEWLINE) rp_parse_poison(p, &p->samplers, &name);
        return RP_FAIL(p, &name, "expected '@name', found %s", rp_parse_show(&name).text);
    }
    if (!rp_parse_name(p, &name, &s.name)) {
        rp_parse_poison(p, &p->samplers, &name);
        return false;
    }
    uint32_t other;
    if (rp_table_find(&p->samplers, s.name, &other) && other != RP_POISONED)
        return RP_FAIL(p, &name, "there is another sampler %s", rp_parse_show(&name).text);
    bool ok = parse_sampler_rest(p, &s);
    uint32_t index = RP_POISONED;
    if (ok && (index = rp_graph_add_sampler(p->g, &s)) == RP_NONE) return rp_parse_no_memory(p);
    if (!rp_table_set(p->a, &p->samplers, s.name, index)) return rp_parse_no_memory(p);
    return ok;
}
