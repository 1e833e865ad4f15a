/* Internal: what plan/read.c and the files of the validation share. */
#ifndef RP_PLAN_VALIDATE_H
#define RP_PLAN_VALIDATE_H

#include "plan/format.h"
#include "spirv/spirv.h"

/* Validates plan->data[0..size) and fills in the pointers of `plan`. One diagnostic says what is
 * wrong and where. RP_ERROR_DAMAGED or RP_ERROR_VERSION; RP_ERROR_NO_MEMORY, as kernels are read
 * with tables of their ids. */
rp_status rp_plan_validate(rp_plan *plan, const char *name, rp_diags *diags);

/* The same for a plan that was written a moment ago, into plan->data. What its header says of the
 * bytes is not compared but filled in: the needs of its kernels, and then the hash. */
rp_status rp_plan_seal(rp_plan *plan, const char *name, rp_diags *diags);

/* A plan of its own, with one holder, of one that was validated or sealed: its bytes go over to it, and
 * its images get the extents that rp_plan_get_buffer gives. NULL without memory, and then it has no forms any
 * more. */
rp_plan *rp_plan_keep(rp_plan *plan);

/* validate_forms.c. Whether plan->data is a file of several forms, as far as its header says; validates such a one, to the
 * forms' agreement on all that is there for every replay, and fills in the pointers of `plan`. On failure it
 * has no forms. The second writes what its header says of the bytes, as rp_plan_seal. */
bool rp_plan_has_forms(const rp_plan *plan);
rp_status rp_plan_validate_forms(rp_plan *plan, const char *name, rp_diags *diags);
void rp_plan_free_forms(rp_plan *plan);

/* A validation under way: where it is, for messages. */
typedef struct rp_plan_validation {
    rp_plan *plan;
    const char *name; /* of the file, may be NULL */
    rp_diags *diags;
    rp_section section;               /* SECTION_COUNT: none, the message stands alone */
    uint32_t record;                  /* UINT32_MAX: the section as a whole */
    uint32_t taken[RP_SECTION_COUNT]; /* records that belong to records checked so far */
    bool sealing;
    uint64_t needs;      /* of the kernels checked so far */
    uint8_t *addressing; /* by kernel: it uses buffer device addresses; NULL: none does */
    rp_spirv_reader spirv;
} rp_plan_validation;

/* Records that refer to `count` records of another section own them: owned pieces follow each other
 * without gap or sharing, so validating is linear in the file's size whatever it says. Returns
 * whether [first, first + count) is the next piece. */
bool rp_plan_take(rp_plan_validation *check, rp_section section, uint32_t first, uint32_t count);
bool rp_plan_string_valid(const rp_plan_validation *check, uint32_t string);

/* Adds "section nodes, record 12: <message>" and returns RP_ERROR_DAMAGED. */
rp_status rp_plan_damaged(rp_plan_validation *check, const char *format, ...) RP_PRINTF(2, 3);

/* What the header of every file says of its bytes: magic, version, size, hash and reserved bytes. */
rp_status rp_plan_check_header(rp_plan_validation *check, uint32_t version);
uint64_t rp_plan_content_hash(const rp_plan *plan);
/* Validates the records of every section; the table of sections is valid already. */
rp_status rp_plan_check_records(rp_plan_validation *check);
/* The part of it that holds a kernel against its SPIR-V; its record, params and specs are valid. */
rp_status rp_plan_check_spirv(rp_plan_validation *check, const rp_plan_kernel *kernel);
/* The part of it that deals with nodes, their uses and groups; everything else is valid already. */
rp_status rp_plan_check_nodes(rp_plan_validation *check);

#endif
