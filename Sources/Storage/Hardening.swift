import CPosix
import Glibc

/// Hardens the process: new files are readable by their owner only, and there are no core dumps, no debugger of the
/// same user and no new privileges through exec. Throws if the system refuses one of these.
///
/// It must be called before any file is opened.
package func hardenProcess() throws(StorageError) {
    // Swift's crash report would print registers and memory, which may contain cells of the data.
    for number in [SIGILL, SIGTRAP, SIGABRT, SIGFPE, SIGBUS, SIGSEGV, SIGQUIT] { _ = signal(number, SIG_DFL) }
    umask(0o077)
    var none = rlimit()
    guard unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none) == 0 else {
        throw systemError("forbid", "core dumps")
    }
    guard sluice_prctl(PR_SET_DUMPABLE, 0) == 0 else { throw systemError("forbid", "memory dumps") }
    guard sluice_prctl(PR_SET_NO_NEW_PRIVS, 1) == 0 else { throw systemError("forbid", "new privileges") }
}

/// Closes every descriptor above standard error, so that descriptors of the parent process are neither used nor
/// inherited further.
package func closeInheritedFiles() {
    // Best effort: kernels before 5.9 lack the system call.
    _ = sluice_close_from(3)
}

/// The user id that Sluice's own files must have.
package func effectiveUser() -> UInt32 { geteuid() }

/// Keeps freed memory for the next slice instead of returning it to the system, which would have to zero every page of
/// every slice again. For short runs; a daemon must return memory.
package func keepFreedMemory() { sluice_keep_freed(32 << 20) }

/// Returns freed memory to the system. Without it, small pages of the first pass would stay resident during the second,
/// because the allocator keeps them.
package func returnFreeMemory() { _ = sluice_malloc_trim() }

/// Lets the process have `count` files open, if the system's hard limit allows that many.
///
/// - Returns: false when it does not; the limit is then as it was.
package func allowOpenFiles(_ count: Int) -> Bool {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return false }
    if limit.rlim_cur >= count { return true }
    guard limit.rlim_max >= count else { return false }
    limit.rlim_cur = rlim_t(count)
    return unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
}
