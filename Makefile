# Portico's build. `make help` lists what there is. Every src/**/*.c but src/main.c is linked into the binary
# and into the unit tests; a new file needs no edit here.

CC      ?= cc
BUILD   ?= build
MODE    ?= release
# PGO=1: compiled by what a training run learnt; `make release PGO=1` trains and compiles.
PGO     ?=
CCACHE  := $(shell command -v ccache 2>/dev/null)
JOBS    ?= $(shell nproc 2>/dev/null || echo 2)

PACKAGES := ncursesw libssl libcrypto libnghttp2 jose libpcre2-8 yaml-0.1 jansson libbrotlienc libzstd zlib libcares
# Only headers: the library is loaded when it is needed (src/net/curl.h).
LOADED   := libcurl
# Where there is no ISA-L (it knows amd64 and arm64), zlib makes all gzip.
ISAL     := $(shell pkg-config --exists libisal && echo libisal)
PACKAGES += $(ISAL)
# URING=1: what is ready is received by io_uring (src/net/ring.h); a build of its own in build/uring.
URING    ?=
ifneq ($(URING),)
override BUILD := $(patsubst %/uring,%,$(BUILD))/uring
PACKAGES += liburing
CPPFLAGS += -DPORTICO_URING
endif
WARNINGS := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wcast-qual -Wwrite-strings \
            -Wvla -Wformat=2 -Wimplicit-fallthrough -Wswitch-enum -Wno-unused-parameter -Werror
# Return addresses only: Linux has no indirect-branch tracking for programs, whose marks would cost two per cent of a request.
HARDENING := -fstack-protector-strong -fstack-clash-protection -fcf-protection=return -D_FORTIFY_SOURCE=2 -fPIE

# What clang does not know. gcc clears what is of a known size by "rep stos", which takes longer to start than libc's
# vectors take in all. Seen across files, it warns of sizes that a budget refuses before malloc sees them.
GCC          := $(if $(findstring clang,$(CC)),,gcc)
# clang looks into OpenSSL's macros, which cast qualifiers away.
WARNINGS     += $(if $(GCC),,-Wno-cast-qual)
MEMSET_x86_64 := -mmemset-strategy=unrolled_loop:128:noalign,libcall:-1:noalign
RELEASE_gcc  := -Wno-alloc-size-larger-than $(MEMSET_$(shell uname -m))
EAGER_gcc    := -finline-functions --param max-inline-insns-auto=60 --param max-inline-insns-single=200 \
                --param inline-unit-growth=80 --param large-function-growth=300

FLAGS_release := -O2 -g -flto=auto -fno-plt $(HARDENING) $(RELEASE_$(GCC))
EAGER_release := $(EAGER_$(GCC))
# A build that writes down how often each branch is taken, for build/pgo to be compiled by.
FLAGS_train   := $(FLAGS_release) -fprofile-generate -fprofile-update=atomic
EAGER_train   := $(EAGER_release)
FLAGS_debug   := -O0 -g3
FLAGS_asan    := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
FLAGS_tsan    := -O1 -g -fsanitize=thread -fno-omit-frame-pointer
FLAGS_fuzz    := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
# What is uninitialised each file's compilation says; across files gcc only guesses.
LINK_gcc      := -Wno-maybe-uninitialized
# What is to be relocated as a bitmap, 200 KB less to read at each start, where the linker can write it (glibc reads it from 2.36 on).
PACKED        := $(shell $(CC) -Wl,--help 2>/dev/null | grep -q pack-relative-relocs && echo -Wl,-z,pack-relative-relocs)
LINK_release  := -pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack $(PACKED) $(LINK_$(GCC))
LINK_train    := $(LINK_release)
# What a profile says never happens gcc takes for what always does, and warns of sizes that cannot be.
LINK_trained  := -Wno-error -Wno-stringop-overflow
LINK_asan     := -fsanitize=address,undefined
LINK_tsan     := -fsanitize=thread

# What was not trained is compiled as without a profile, not for size.
TRAINED  := $(if $(filter-out 0,$(PGO)),$(if $(filter release,$(MODE)),$(BUILD)/pgo/trained))
ifneq ($(TRAINED),)
$(if $(GCC),,$(error PGO=1 takes gcc, and CC is $(CC)))
FLAGS_release += -fprofile-use -fprofile-correction -fprofile-partial-training -Wno-missing-profile
endif

OUT      := $(if $(TRAINED),$(BUILD)/pgo,$(if $(filter release,$(MODE)),$(BUILD),$(BUILD)/$(MODE)))
CPPFLAGS += -Isrc -D_GNU_SOURCE $(shell pkg-config --cflags $(PACKAGES) $(LOADED) 2>/dev/null)
# Hidden: a name of ours must never take the place of a library's own, inside of that library.
CFLAGS   += -std=gnu17 -fvisibility=hidden -fno-common -fno-semantic-interposition $(FLAGS_$(MODE)) $(WARNINGS)
LDFLAGS  += $(LINK_$(MODE)) $(if $(TRAINED),$(LINK_trained))
LDLIBS   += $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lcrypt -lm -pthread

LEFT_OUT := $(if $(ISAL),,src/middleware/gzip_isal.c) $(if $(URING),,src/net/ring.c test/unit/net/ring.c)
SOURCES  := $(filter-out $(LEFT_OUT),$(shell find src -name '*.c' | LC_ALL=C sort))
HEADERS  := $(shell find src -name '*.h' | LC_ALL=C sort)
OBJECTS  := $(SOURCES:%.c=$(OUT)/obj/%.o)
WEB      := $(shell find web -type f 2>/dev/null | LC_ALL=C sort)
PARTS    := $(filter-out $(OUT)/obj/src/main.o,$(OBJECTS)) $(OUT)/web/web.o
UNIT     := $(filter-out $(LEFT_OUT),$(shell find test/unit -name '*.c' 2>/dev/null | LC_ALL=C sort))
UNIT_OBJECTS := $(UNIT:%.c=$(OUT)/obj/%.o)

# What runs is named, not shown whole; V=1 shows it.
SAY   = $(if $(V),,@printf '  %-5s %s\n' "$(1)" "$@" &&)

.PHONY: all release help check unit unit-binary wire asan tsan fuzz fuzz-replay bench bench-calls \
        bench-memory bench-reload bench-scale bench-tails bench-contention bench-flame bench-all bench-tools lint docs image install clean format
all: $(OUT)/portico                                  ## build/portico

release:                                             ## as above; PGO=1: trained by the benchmarks first, build/pgo/portico
	$(if $(TRAINED),@$(MAKE) -q $(TRAINED) || { $(MAKE) MODE=train PGO= all && bench/train --to $(BUILD)/pgo; })
	@$(MAKE) MODE=release all

# A profile belongs to the sources that it was made of.
$(BUILD)/pgo/trained: $(SOURCES) $(HEADERS)
	@echo "There is no profile of these sources in $(@D): 'make release PGO=1' makes one (some minutes) and then the binary." >&2
	@false

$(OUT)/portico: $(OUT)/obj/src/main.o $(PARTS)
	$(call SAY,LINK)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(OUT)/unit: $(PARTS) $(UNIT_OBJECTS)
	$(call SAY,LINK)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcmocka -lbrotlidec

.PRECIOUS: $(OUT)/obj/%.o
# With MODE=fuzz CC=clang (tools/fuzz): one binary for each fuzzer.
$(BUILD)/fuzz/%: $(PARTS) $(OUT)/obj/test/fuzz/%.o
	$(CC) $(CFLAGS) -fsanitize=fuzzer $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(OUT)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call SAY,CC)$(CCACHE) $(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(OUT)/obj/test/unit/%.o: CPPFLAGS += -Itest/unit

# What every request passes is inlined more eagerly: 6 % fewer instructions.
HOT := base/meter_count.o base/chunkq.o base/arena.o base/rand.o base/hex.o route/table.o route/match.o route/normalize.o net/%.o http/%.o proto/h1/%.o proto/h2/%.o tls/%.o exchange/%.o service/%.o upstream/%.o observe/%.o base/text.o
$(HOT:%=$(OUT)/obj/src/%): CFLAGS += $(EAGER_$(MODE))

# The dashboard is part of the binary.
$(OUT)/web/web.o: tools/embed $(WEB)
	@mkdir -p $(@D)
	$(call SAY,EMBED)tools/embed web $(OUT)/web >$(OUT)/web/web.s && $(CC) -c -o $@ $(OUT)/web/web.s

ifneq ($(TRAINED),)
$(OBJECTS): $(TRAINED)
endif

-include $(OBJECTS:.o=.d) $(UNIT_OBJECTS:.o=.d)

unit-binary: $(OUT)/unit
unit: $(OUT)/unit                                    ## unit tests alone (U=word: only those with the word)
	$(OUT)/unit $(U)

wire: $(OUT)/portico                                 ## wire tests alone: the real binary, real peers (W=file or "-k word")
	tools/wire --portico $(OUT)/portico $(W)

check: $(OUT)/portico $(OUT)/unit                    ## all tests, with one closing line
	tools/check $(OUT)

asan:                                                ## all tests under AddressSanitizer and UBSan
	$(MAKE) MODE=asan check

tsan:                                                ## load with reloads under ThreadSanitizer
	$(MAKE) MODE=tsan all
	tools/wire --portico $(BUILD)/tsan/portico -m tsan

fuzz:                                                ## one fuzzer: make fuzz T=h1_request SECONDS=1200
	tools/fuzz run "$(T)" "$(or $(SECONDS),60)"

fuzz-replay:                                         ## every fuzzer over its corpus
	tools/fuzz replay

BENCH_TOOLS := $(BUILD)/bench/origin $(BUILD)/bench/load $(BUILD)/bench/crowd
BENCH_FLAGS := -std=gnu17 -D_GNU_SOURCE -O2 -g $(WARNINGS)
BENCH_LIBS  := libssl libcrypto libnghttp2

$(BUILD)/bench/origin $(BUILD)/bench/crowd: $(BUILD)/bench/%: bench/%.c bench/head.h
	@mkdir -p $(@D)
	$(call SAY,CC)$(CC) $(BENCH_FLAGS) -o $@ $<

$(BUILD)/bench/load: $(wildcard bench/load/*.c) $(wildcard bench/load/*.h) bench/head.h
	@mkdir -p $(@D)
	$(call SAY,CC)$(CC) $(BENCH_FLAGS) $(shell pkg-config --cflags $(BENCH_LIBS)) -o $@ $(filter %.c,$^) \
		$(shell pkg-config --libs $(BENCH_LIBS))

bench-tools: $(BENCH_TOOLS)

bench: $(OUT)/portico $(BENCH_TOOLS)                 ## CPU per request beside the peers (S=scenarios P=peers)
	bench/run --portico $(abspath $(OUT)/portico) --scenarios "$(S)" --peers "$(P)" $(ARGS)

bench-calls: $(OUT)/portico $(BENCH_TOOLS)           ## system calls and user instructions per request (P=peers)
	bench/calls --portico $(abspath $(OUT)/portico) --peers "$(P)" $(ARGS)

bench-memory: $(OUT)/portico $(BENCH_TOOLS)          ## bytes for each of 9,000 idle connections (P=peers)
	bench/memory --portico $(abspath $(OUT)/portico) --peers "$(P)" $(ARGS)

bench-reload: $(OUT)/portico $(BENCH_TOOLS)          ## requests lost and latency during reloads (P=peers)
	bench/reload --portico $(abspath $(OUT)/portico) --peers "$(P)" $(ARGS)

bench-scale: $(OUT)/portico $(BENCH_TOOLS)            ## CPU and memory over routers, connections and workers (P=peers)
	bench/scale --portico $(abspath $(OUT)/portico) --peers "$(P)" $(ARGS)

bench-tails: $(OUT)/portico $(BENCH_TOOLS)            ## p99 and p99.9 at half of nginx's peak, alone and beside slow ones
	bench/tails --portico $(abspath $(OUT)/portico) --peers "$(P)" $(ARGS)

bench-all: $(OUT)/portico $(BENCH_TOOLS)              ## all benchmarks, for the tables of docs/performance.md (bench/report)
	bench/all --portico $(abspath $(OUT)/portico) $(ARGS)

# Linked with all of the house, as the unit tests are.
$(OUT)/bench/contention: $(PARTS) $(OUT)/obj/bench/contention.o
	@mkdir -p $(@D)
	$(call SAY,LINK)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

bench-contention: $(OUT)/bench/contention            ## ns that threads cost each other where requests meet
	$<

bench-flame: $(OUT)/portico $(BENCH_TOOLS)            ## docs/pictures/*.svg: where the time of a request goes (S=scenario)
	bench/flame --portico $(abspath $(OUT)/portico) $(if $(S),--scenario "$(S)") $(ARGS)

lint: $(OUT)/portico                                 ## layers, names in ARCHITECTURE.md, docs/options.md, style
	tools/lint

format:                                              ## clang-format over the sources
	clang-format -i $$(find src test -name '*.[ch]')

docs: $(OUT)/portico                                 ## docs/options.md and docs/variables.md, generated from the tables
	@mkdir -p docs
	$(OUT)/portico help --markdown >docs/options.md
	$(OUT)/portico help variables --markdown >docs/variables.md

image: $(OUT)/portico                                ## the container image portico:latest, into the engine of DOCKER_HOST
	tools/image load --portico $(OUT)/portico

install: $(OUT)/portico                              ## to PREFIX (default /usr/local), DESTDIR respected
	install -D -m 755 $(OUT)/portico $(DESTDIR)$(or $(PREFIX),/usr/local)/bin/portico

clean:                                               ## removes build/
	rm -rf $(BUILD)

help:                                                ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' Makefile
