/* Against trees of files that look like /proc and /sys/fs/cgroup. */
#include "net/cgroup.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

static char root[32];

static void begin(void)
{
    strcpy(root, "/tmp/portico-unit-XXXXXX");
    assert_non_null(mkdtemp(root));
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    return remove(path);
}

static void finish(void)
{
    assert_int_equal(nftw(root, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* A file below the root, its directories made on the way. */
static void put(const char *path, const char *content)
{
    char whole[256];
    snprintf(whole, sizeof(whole), "%s%s", root, path);
    for (char *slash = strchr(whole + strlen(root) + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(whole, 0700) < 0)
            assert_int_equal(errno, EEXIST);
        *slash = '/';
    }
    FILE *file = fopen(whole, "w");
    assert_non_null(file);
    fputs(content, file);
    fclose(file);
}

TEST(cgroup_without_files_sets_no_limit)
{
    begin();
    assert_int_equal(cgroup_cpu_limit(root), 0);
    put("/proc/self/cgroup", "0::/\n");
    assert_int_equal(cgroup_cpu_limit(root), 0);
    finish();
}

TEST(cgroup_v2_quota_is_rounded_up_to_whole_cpus)
{
    begin();
    put("/proc/self/cgroup", "0::/\n");
    put("/sys/fs/cgroup/cpu.max", "max 100000\n");
    assert_int_equal(cgroup_cpu_limit(root), 0);
    put("/sys/fs/cgroup/cpu.max", "250000 100000\n");
    assert_int_equal(cgroup_cpu_limit(root), 3);
    put("/sys/fs/cgroup/cpu.max", "200000 100000\n");
    assert_int_equal(cgroup_cpu_limit(root), 2);
    put("/sys/fs/cgroup/cpu.max", "20000 100000\n");
    assert_int_equal(cgroup_cpu_limit(root), 1);
    put("/sys/fs/cgroup/cpu.max", "nonsense\n");
    assert_int_equal(cgroup_cpu_limit(root), 0);
    finish();
}

TEST(cgroup_v2_takes_the_smallest_quota_up_to_the_root)
{
    begin();
    put("/proc/self/cgroup", "0::/system.slice/portico.service\n");
    put("/sys/fs/cgroup/system.slice/portico.service/cpu.max", "800000 100000\n");
    put("/sys/fs/cgroup/system.slice/cpu.max", "400000 100000\n");
    assert_int_equal(cgroup_cpu_limit(root), 4);
    put("/sys/fs/cgroup/system.slice/portico.service/cpu.max", "100000 100000\n");
    assert_int_equal(cgroup_cpu_limit(root), 1);
    finish();
}

TEST(cgroup_v1_quota_is_read_where_the_cpu_controller_is)
{
    begin();
    put("/proc/self/cgroup", "5:cpuset:/\n4:cpu,cpuacct:/docker/abc\n1:name=systemd:/\n0::/\n");
    put("/sys/fs/cgroup/cpu/docker/abc/cpu.cfs_quota_us", "-1\n");
    put("/sys/fs/cgroup/cpu/docker/abc/cpu.cfs_period_us", "100000\n");
    assert_int_equal(cgroup_cpu_limit(root), 0);
    put("/sys/fs/cgroup/cpu/docker/abc/cpu.cfs_quota_us", "150000\n");
    assert_int_equal(cgroup_cpu_limit(root), 2);
    finish();
}

TEST(cgroup_path_of_the_host_that_a_container_cannot_see_falls_back_to_its_own_root)
{
    begin();
    put("/proc/self/cgroup", "4:cpu:/docker/not-visible-here\n");
    put("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "300000\n");
    put("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    assert_int_equal(cgroup_cpu_limit(root), 3);
    finish();
}
