#include "middleware/ip_strategy.h"

static const struct option ip_strategy_options[] = {
    OPTION(INT, struct ip_strategy, depth, .min = 0, .max = 1000,
           .help = "Take the n-th address of X-Forwarded-For from the right; 0: the peer's."),
    OPTION_NAMED(
        STRS, struct ip_strategy, excluded_ips, "excludedIPs", .check = network_check,
        .help = "Take the first address of X-Forwarded-For from the right that is none of these."),
    OPTION_NAMED(INT, struct ip_strategy, ipv6_subnet, "ipv6Subnet", .min = 1, .max = 128,
                 .help = "Bits of an IPv6 address that count: 64 makes one client of a whole /64."),
};
const struct option_table ip_strategy_table = OPTION_TABLE(
    struct ip_strategy, ip_strategy_options, .summary = "Which address counts as the client's.");

struct ip_rule ip_rule_from(const struct ip_strategy *options, struct arena *arena)
{
    if (options == NULL)
        return (struct ip_rule){.ipv6_bits = 128};
    return (struct ip_rule){
        .depth = (unsigned)options->depth,
        .ipv6_bits = options->ipv6_subnet != 0 ? (unsigned)options->ipv6_subnet : 128,
        .excluded = networks_from(&options->excluded_ips, arena),
    };
}

/* The members of all X-Forwarded-For fields, from the last to the first. */
struct backwards {
    const struct fields *fields;
    uint32_t index; /* of the field before which to go on */
    struct str rest; /* of the present field */
    bool inside;
};

static bool previous_member(struct backwards *walk, struct str *ret_member)
{
    while (!walk->inside) {
        if (walk->index == 0)
            return false;
        const struct field *field = &walk->fields->items[--walk->index];
        if (field->name.len == 0 || field->id != FIELD_X_FORWARDED_FOR)
            continue;
        walk->rest = field->value;
        walk->inside = true;
    }
    ptrdiff_t comma = str_find_last_char(walk->rest, ',');
    *ret_member = str_trim(str_from_index(walk->rest, (size_t)(comma + 1)));
    walk->inside = comma >= 0;
    walk->rest = str_first(walk->rest, comma >= 0 ? (size_t)comma : 0);
    return true;
}

static bool find_at_depth(struct backwards *walk, unsigned depth, struct ip *ret_ip)
{
    struct str member = STR_NONE;
    for (unsigned i = 0; i < depth; i++) {
        if (!previous_member(walk, &member))
            return false;
    }
    return ip_parse(member, ret_ip);
}

static bool find_not_excluded(struct backwards *walk, const struct networks *excluded,
                              struct ip *ret_ip)
{
    struct str member;
    while (previous_member(walk, &member)) {
        if (member.len == 0)
            continue;
        if (!ip_parse(member, ret_ip))
            return false;
        if (!networks_have(excluded, ret_ip))
            return true;
    }
    return false;
}

static bool find_forwarded(const struct ip_rule *rule, const struct fields *fields, struct ip *ret_ip)
{
    struct backwards walk = {.fields = fields, .index = fields->count};
    return rule->depth != 0 ? find_at_depth(&walk, rule->depth, ret_ip) : find_not_excluded(&walk, &rule->excluded, ret_ip);
}

bool ip_rule_find(const struct ip_rule *rule, const struct exchange *x, struct ip *ret_ip)
{
    const struct fields *fields = &x->stream.request.fields;
    if (rule->depth == 0 && rule->excluded.count == 0)
        *ret_ip = x->stream.client->peer;
    else if (!fields_has(fields, FIELD_X_FORWARDED_FOR) || !find_forwarded(rule, fields, ret_ip))
        return false;
    if (rule->ipv6_bits < 128 && !ip_is_v4(ret_ip))
        *ret_ip = ip_mask(ret_ip, rule->ipv6_bits);
    return true;
}
