import CPosix
import Glibc

/// Hardens the process: new files are readable by their owner only, and there are no core dumps, no debugger of the
/// same user and no new privileges through exec. Throws when the system refuses one of them.
///
/// Call it first of all, before any file is opened.
package func hardenProcess() throws(StorageError) {
    // Swift's crash report shows registers and memory, which may hold cells of somebody's data.
    for number in [SIGILL, SIGTRAP, SIGABRT, SIGFPE, SIGBUS, SIGSEGV, SIGQUIT] { _ = signal(number, SIG_DFL) }
    umask(0o077)
    var none = rlimit()
    guard unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none) == 0 else {
        throw systemError("forbid", "core dumps")
    }
    guard sluice_prctl(PR_SET_DUMPABLE, 0) == 0 else { throw systemError("forbid", "memory dumps") }
    guard sluice_prctl(PR_SET_NO_NEW_PRIVS, 1) == 0 else { throw systemError("forbid", "new privileges") }
}

/// Closes every descriptor above standard error: what a parent left open is not ours to keep, nor to hand down.
package func closeInheritedFiles() {
    // Best effort: kernels before 5.9 do not know it.
    _ = sluice_close_from(3)
}

/// The user id that files of ours must belong to.
package func effectiveUser() -> UInt32 { geteuid() }

/// Keeps what is freed for the next slice instead of handing it back to the system at once, which would zero every page
/// of every slice anew. For runs that end soon; a daemon gives back what it does not need.
package func keepFreedMemory() { sluice_keep_freed(32 << 20) }

/// Gives freed memory back to the system: what a first pass held in small pages would else stay resident through the
/// second, because the allocator keeps it for later.
package func returnFreeMemory() { _ = sluice_malloc_trim() }
