#include "route/host_kind.h"

#include "net/addr.h"

/* RFC 6761, RFC 6762 with its appendix G, RFC 8375, and ICANN's "internal". */
static const struct str local_suffixes[] = {STR("localhost"), STR("local"), STR("internal"), STR("home.arpa"), STR("test"),
                                            STR("lan"), STR("home"), STR("corp"), STR("private"), STR("intranet")};

/* What IANA's special-purpose registries say is not reachable from everywhere (RFC 6890). */
static const char *const local_networks[] = {"0.0.0.0/8",      "10.0.0.0/8",     "100.64.0.0/10",   "127.0.0.0/8",
                                             "169.254.0.0/16", "172.16.0.0/12",  "192.0.0.0/24",    "192.0.2.0/24",
                                             "192.168.0.0/16", "198.18.0.0/15",  "198.51.100.0/24", "203.0.113.0/24",
                                             "224.0.0.0/3",    "::/127",         "fc00::/7",        "fe80::/10",
                                             "ff00::/8",       "2001:db8::/32"};

static bool is_local_address(const struct ip *ip)
{
    for (size_t i = 0; i < sizeof(local_networks) / sizeof(local_networks[0]); i++) {
        struct network network;
        if (network_parse(str_from(local_networks[i]), &network) && network_has(&network, ip))
            return true;
    }
    return false;
}

/* Letters, digits, hyphens inside, underscores as people use them; 63 bytes at most. */
static bool is_label(struct str label)
{
    bool good = label.len != 0 && label.len <= 63 && label.data[0] != '-' && label.data[label.len - 1] != '-';
    for (size_t i = 0; good && i < label.len; i++) {
        char c = label.data[i];
        good = (c >= 'a' && c <= 'z') || ascii_digit(c) || c == '-' || c == '_';
    }
    return good;
}

static bool is_name(struct str name)
{
    struct str rest = name, label;
    bool good = name.len != 0 && name.len <= 253;
    while (good && str_split(&rest, '.', &label))
        good = is_label(label);
    return good;
}

static bool is_below(struct str name, struct str suffix)
{
    return str_ends(name, suffix) &&
           (name.len == suffix.len || name.data[name.len - suffix.len - 1] == '.');
}

enum host_kind host_kind(struct str host)
{
    struct ip ip;
    if (ip_parse(host, &ip))
        return is_local_address(&ip) ? HOST_LOCAL_ADDRESS : HOST_PUBLIC_ADDRESS;
    if (str_ends(host, S(".")))
        host.len--;
    if (str_starts(host, S("*.")))
        host = str_from_index(host, 2);
    if (!is_name(host))
        return HOST_NONE;
    bool local = str_find_char(host, '.', 0) < 0;
    for (size_t i = 0; i < sizeof(local_suffixes) / sizeof(local_suffixes[0]); i++)
        local = local || is_below(host, local_suffixes[i]);
    return local ? HOST_LOCAL : HOST_PUBLIC;
}
