#pragma once
// What Swift cannot say: variadic system calls and composed macros. Header only, no logic.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

// prctl is variadic.
static inline int sluice_prctl(int operation, unsigned long argument) { return prctl(operation, argument, 0, 0, 0); }

// renameat2 with RENAME_NOREPLACE: publish never overwrites.
static inline int sluice_rename_noreplace(int from_folder, const char *from, int to_folder, const char *to) {
    return (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, 1u);
}

// open is variadic.
static inline int sluice_open(const char *path, int flags, mode_t mode) { return open(path, flags, mode); }
static inline int sluice_openat(int folder, const char *path, int flags, mode_t mode) { return openat(folder, path, flags, mode); }

// openat2 has no wrapper in the C library: nothing outside `folder` is reached, and no link is followed on the way.
static inline int sluice_open_beneath(int folder, const char *path, int flags) {
    struct open_how how = {0};
    how.flags = (unsigned long long)flags;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    return (int)syscall(SYS_openat2, folder, path, &how, sizeof how);
}

// FICLONE is a composed macro: shares the blocks of `from` where the file system can.
static inline int sluice_clone(int to, int from) { return ioctl(to, FICLONE, from); }

// O_TMPFILE is a composed macro. A file without a name; where the file system has none, in memory.
static inline int sluice_unnamed(const char *folder) {
    int descriptor = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    return descriptor >= 0 ? descriptor : memfd_create("sluice", MFD_CLOEXEC);
}

// fcntl is variadic; F_SETLEASE is not in the C library's plain name space.
static inline int sluice_lease(int descriptor, int kind) { return fcntl(descriptor, F_SETLEASE, kind); }

// sigset_t is opaque: the two signals that ask a daemon to stop.
static inline void sluice_stop_set(sigset_t *set) {
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
}

// fcntl is variadic: a copy that programs we start do not get.
static inline int sluice_duplicate(int descriptor) { return fcntl(descriptor, F_DUPFD_CLOEXEC, 3); }

// flock is a struct and a function.
static inline int sluice_flock(int descriptor, int operation) { return flock(descriptor, operation); }

// close_range is newer than some C libraries; an old kernel answers ENOSYS.
static inline int sluice_close_from(unsigned first) { return (int)syscall(SYS_close_range, first, ~0u, 0u); }

// malloc.h is in no module map.
static inline int sluice_malloc_trim(void) { return malloc_trim(0); }

// 32 MiB is the most that glibc takes for the first; musl and others have neither.
static inline void sluice_keep_freed(int bytes) {
    (void)mallopt(M_MMAP_THRESHOLD, bytes);
    (void)mallopt(M_TRIM_THRESHOLD, 8 * bytes);
}

// Starts writing dirty pages out without waiting for them; a hint, so its result does not matter.
static inline void sluice_start_writeback(int file) { (void)sync_file_range(file, 0, 0, SYNC_FILE_RANGE_WRITE); }
