/* Things that register themselves: one file each, no list to edit.
 *
 * A middleware, a balancer, a subcommand... defines a descriptor and REGISTER()s a pointer to it in a
 * linker section named after its kind. Link plain objects (members of a static archive that nobody names
 * vanish). The order in a section is the link order: whoever lists things for people sorts by name.
 *
 *     REGISTRY(middleware_type, const struct middleware_type);      in the header, once
 *     REGISTER(middleware_type, add_prefix_type);                   in each file
 *     REGISTRY_FOREACH(middleware_type, const struct middleware_type, it) use(*it);
 */
#ifndef BASE_REGISTRY_H
#define BASE_REGISTRY_H

#define REGISTRY(kind, type) \
    extern type *__start_registry_##kind[] __attribute__((weak, visibility("hidden"))); \
    extern type *__stop_registry_##kind[] __attribute__((weak, visibility("hidden")))

#define REGISTER(kind, object) \
    static __typeof__(object) *const object##_registered \
        __attribute__((used, retain, section("registry_" #kind))) = &(object)

#define REGISTRY_FOREACH(kind, type, it) \
    for (type **it = __start_registry_##kind; it < __stop_registry_##kind; it++)

#endif
