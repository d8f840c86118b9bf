/* The CPU time that control groups (versions 1 and 2) grant this process. Pure reading of files. */
#ifndef NET_CGROUP_H
#define NET_CGROUP_H

/* The smallest limit of the process's group and those above it, in whole CPUs, rounded up; 0: no limit. `root` is
 * put before /proc and /sys ("" outside of tests). */
unsigned cgroup_cpu_limit(const char *root);

#endif
