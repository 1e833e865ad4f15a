/* What may be wrong with an option's value is said in the same words by every subcommand. */
#include "take.h"

#include <string.h>
#include "message.h"

int cli_take_text(const cli_command *command, const char *option, const char *value,
                  cli_texts *texts) {
    if (texts->count == CLI_MOST_TEXTS)
        return cli_usage(command, "%s is given more than %d times", option, CLI_MOST_TEXTS);
    texts->items[texts->count++] = value;
    return CLI_OK;
}

int cli_take_pair(const cli_command *command, const char *option, const char *needed,
                  const char *value, uint32_t most, cli_pairs *pairs) {
    if (cli_pairs_add(pairs, value, most)) return CLI_OK;
    return cli_usage(command, "%s needs %s; got '%s'", option, needed, value);
}

int cli_take_file(const cli_command *command, const char *option, const char *needed,
                  const char *value, uint32_t most, cli_pairs *pairs) {
    int status = cli_take_pair(command, option, needed, value, most, pairs);
    if (status != CLI_OK) return status;
    return cli_needs_file(command, option, pairs->items[pairs->count - 1].text);
}

int cli_take_count(const cli_command *command, const char *option, uint32_t least, uint32_t most,
                   const char *value, uint32_t *out) {
    int64_t number;
    if (!cli_number(value, least, most, &number))
        return cli_usage(command, "%s needs a number from %u to %u; got '%s'", option, least, most,
                         value);
    *out = (uint32_t)number;
    return CLI_OK;
}

int cli_take_tags(const cli_command *command, const char *value, rp_tags *out) {
    static const char *const words[] = {
        [RP_TAGS_AUTO] = "auto", [RP_TAGS_OFF] = "off", [RP_TAGS_ON] = "on"};
    for (uint32_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(value, words[i])) continue;
        *out = (rp_tags)i;
        return CLI_OK;
    }
    return cli_usage(command, "--tags needs auto, on or off; got '%s'", value);
}

int cli_take_format(const cli_command *command, const char *value, bool *out_json) {
    *out_json = strcmp(value, "json") == 0;
    if (*out_json || strcmp(value, "text") == 0) return CLI_OK;
    return cli_usage(command, "--format needs text or json; got '%s'", value);
}
