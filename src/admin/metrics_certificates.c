#include <openssl/bn.h>
#include <stdlib.h>

#include "acme/manager.h"
#include "admin/metrics_read.h"
#include "tls/vault.h"

static struct str join_names(const struct strs *names, struct arena *arena)
{
    struct text text;
    text_init(&text, SIZE_MAX / 2);
    for (size_t i = 0; i < names->count; i++) {
        if (i != 0)
            text_add_char(&text, ',');
        text_add(&text, names->items[i]);
    }
    struct str joined = arena_str(arena, text_str(&text));
    text_release(&text);
    return joined;
}

/* ---- those that are served ---- */

/* Traefik writes it as a decimal number. */
static struct str serial_of(const struct certificate *certificate, struct arena *arena)
{
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate->leaf), NULL);
    char *decimal = number != NULL ? BN_bn2dec(number) : NULL;
    struct str serial = arena_str(arena, str_from(decimal));
    OPENSSL_free(decimal);
    BN_free(number);
    return serial;
}

static struct str common_name(const struct certificate *certificate, struct arena *arena)
{
    const X509_NAME *subject = X509_get_subject_name(certificate->leaf);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    const X509_NAME_ENTRY *entry = at >= 0 ? X509_NAME_get_entry(subject, at) : NULL;
    unsigned char *utf8 = NULL;
    int length = entry != NULL ? ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(entry)) : -1;
    struct str name = length > 0 ? arena_str(arena, str_of((const char *)utf8, (size_t)length)) : STR_NONE;
    OPENSSL_free(utf8);
    return name;
}

static int by_text(const void *one, const void *other)
{
    return str_compare(*(const struct str *)one, *(const struct str *)other);
}

static struct strs sorted(const struct strs *names, struct arena *arena)
{
    struct strs copy = {.items = arena_array(arena, struct str, names->count), .count = names->count};
    if (names->count != 0) {
        memcpy(copy.items, names->items, names->count * sizeof(*copy.items));
        qsort(copy.items, copy.count, sizeof(*copy.items), by_text);
    }
    return copy;
}

static void read_certificate(struct metrics *metrics, const struct certificate *certificate)
{
    struct strs names = sorted(&certificate->names, &metrics->arena);
    const struct str *labels = METRICS_KEEP(metrics, common_name(certificate, &metrics->arena),
                                            join_names(&names, &metrics->arena), serial_of(certificate, &metrics->arena));
    metrics_add(metrics, METRIC_CERTIFICATE_END, labels, (double)certificate->not_after);
}

static int by_fingerprint(const void *one, const void *other)
{
    const struct certificate *a = *(const struct certificate *const *)one, *b = *(const struct certificate *const *)other;
    return memcmp(a->sha256, b->sha256, sizeof(a->sha256));
}

/* One that two sources have is one series. */
static void read_served(struct metrics *metrics, struct worker *control)
{
    size_t count;
    const struct store_item *items = store_items(vault_of(control), &count);
    const struct certificate **all = arena_array(&metrics->arena, const struct certificate *, count);
    for (size_t i = 0; i < count; i++)
        all[i] = items[i].certificate;
    if (count != 0)
        qsort(all, count, sizeof(*all), by_fingerprint);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || by_fingerprint(&all[i - 1], &all[i]) != 0)
            read_certificate(metrics, all[i]);
}

/* ---- those that come by themselves ---- */

static void read_entry(struct metrics *metrics, const struct acme_entry *entry)
{
    struct str resolver = str_starts(entry->resolver, S("@")) ? str_from_index(entry->resolver, 1) : entry->resolver;
    const struct str *labels = METRICS_KEEP(metrics, entry->names.count != 0 ? entry->names.items[0] : STR_NONE,
                                            join_names(&entry->names, &metrics->arena), resolver,
                                            str_from(acme_progress_name(entry->progress)));
    metrics_add(metrics, METRIC_ACME_STATE, labels, 1);
    metrics_add(metrics, METRIC_ACME_FAILURES, labels, entry->failures);
    if (entry->not_after != 0)
        metrics_add(metrics, METRIC_ACME_END, labels, (double)entry->not_after);
    if (entry->renew_at != 0)
        metrics_add(metrics, METRIC_ACME_RENEWAL, labels, (double)entry->renew_at);
}

void metrics_read_certificates(struct metrics *metrics, struct worker *control)
{
    read_served(metrics, control);
    struct acme_entries entries = acme_list(&metrics->arena);
    for (size_t i = 0; i < entries.count; i++)
        read_entry(metrics, &entries.items[i]);
}
