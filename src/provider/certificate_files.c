#include "provider/certificate_files.h"

#include "exchange/lazy_certificates.h"
#include "tls/client.h"

static void note(struct str file_or_text, struct settings_files *files)
{
    if (!str_empty(file_or_text) && !tls_is_pem_text(file_or_text))
        settings_files_note(files, file_or_text);
}

static void note_each(const struct strs *list, struct settings_files *files)
{
    for (size_t i = 0; i < list->count; i++)
        note(list->items[i], files);
}

static void note_certificate(const struct tls_certificate_config *certificate, struct settings_files *files)
{
    note(certificate->cert_file, files);
    note(certificate->key_file, files);
}

static void note_tls(const struct tls_config *tls, struct settings_files *files)
{
    for (size_t i = 0; i < tls->certificates.count; i++)
        note_certificate(tls->certificates.items[i].value, files);
    for (size_t i = 0; i < tls->options.count; i++) {
        const struct tls_options *options = tls->options.items[i].value;
        note_each(&options->client_auth.ca_files, files);
    }
    for (size_t i = 0; i < tls->stores.count; i++) {
        const struct tls_store_config *store = tls->stores.items[i].value;
        if (store->default_certificate != NULL)
            note_certificate(store->default_certificate, files);
    }
}

static void note_transport(const struct transport_config *transport, struct settings_files *files)
{
    note_each(&transport->tls.root_cas, files);
    for (size_t i = 0; i < transport->tls.certificates.count; i++) {
        const struct tls_pair *pair = transport->tls.certificates.items[i].value;
        if (lazy_certificate_is_pair(pair))
            continue;
        note(pair->cert_file, files);
        note(pair->key_file, files);
    }
}

void certificate_files_note(const struct model *model, struct settings_files *files)
{
    note_transport(&model->config.servers_transport, files);
    for (size_t i = 0; i < model->part_count; i++) {
        note_tls(model->parts[i].tls, files);
        const struct objects *transports = &model->parts[i].http->servers_transports;
        for (size_t j = 0; j < transports->count; j++)
            note_transport(transports->items[j].value, files);
    }
}
