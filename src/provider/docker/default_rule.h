/* providers.docker.defaultRule: the rule of routers that have none, as a template in Go's language.
 *
 *     Host(`{{ trimPrefix "app-" .Name }}.{{ index .Labels "zone" | default "localhost" }}`)
 *
 * What is read of that language: `.Name`, `.ContainerName`, `.Labels` (and `$.Name` within `with`), texts, numbers, true and
 * false, pipes, parentheses, `if`, `else if`, `else`, `with`, `end`, comments, `{{-` and `-}}`, and the words of
 * default_rule_words.c, each with its meaning in Go's text/template or in sprig. Anything else is a mistake with its place and the
 * words that exist: a rule that is silently another than its author's would open doors.
 *
 * Ownership: a template lives in the arena it was read into. Pure; const once read. */
#ifndef PROVIDER_DOCKER_DEFAULT_RULE_H
#define PROVIDER_DOCKER_DEFAULT_RULE_H

#include "config/labels.h"

struct default_rule;

/* What a template sees of a container. */
struct default_rule_input {
    struct str name;              /* as the router is called: "api-shop" */
    struct str container_name;
    const struct label *labels;
    size_t label_count;
};

/* NULL: what is wrong with the text is reported at `span` (that of the text). */
struct default_rule *default_rule_read(struct str text, struct span span, struct arena *arena, struct diag *diag);
/* The rule of a container, without white space around it, in `arena`. Data NULL: it cannot be made, *ret_why says why. */
struct str default_rule_make(const struct default_rule *rule, const struct default_rule_input *input, struct arena *arena,
                             struct str *ret_why);

#endif
