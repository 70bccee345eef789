// What nothing in a jail has any business with, of the filter that allows all else.
#include <fcntl.h>
#include <sys/syscall.h>

#include "vmm/seccomp/compiler/rule.h"

namespace qm::seccomp {

namespace {

// O_TMPFILE without O_DIRECTORY, which it goes with.
constexpr std::uint64_t kNameless = O_TMPFILE & ~O_DIRECTORY;

}  // namespace

Rules jailRefusals() {
  return together({
      // Objects that are found by a number or a name that no jail's root contains: with these two jails in one ipc
      // namespace could meet.
      any({SYS_shmget, SYS_shmat, SYS_shmctl, SYS_shmdt, SYS_semget, SYS_semop, SYS_semctl, SYS_semtimedop, SYS_msgget,
           SYS_msgsnd, SYS_msgrcv, SYS_msgctl, SYS_mq_open, SYS_mq_unlink, SYS_mq_timedsend, SYS_mq_timedreceive,
           SYS_mq_notify, SYS_mq_getsetattr}),
      // Keys of a session or user.
      any({SYS_add_key, SYS_request_key, SYS_keyctl}),
      // Other processes.
      any({SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_process_madvise, SYS_kcmp, SYS_pidfd_getfd}),
      // Namespaces, roots, mounts.
      any({SYS_unshare, SYS_setns, SYS_chroot, SYS_pivot_root, SYS_mount, SYS_umount2, SYS_open_tree, SYS_move_mount,
           SYS_mount_setattr, SYS_fsopen, SYS_fsconfig, SYS_fsmount, SYS_fspick, SYS_open_by_handle_at,
           SYS_name_to_handle_at}),
      // Large interfaces of the kernel.
      any({SYS_bpf,
           SYS_perf_event_open,
           SYS_io_uring_setup,
           SYS_io_uring_enter,
           SYS_io_uring_register,
           SYS_syslog,
           SYS_acct,
           SYS_quotactl,
           SYS_swapon,
           SYS_swapoff,
           SYS_reboot,
           SYS_kexec_load,
           SYS_kexec_file_load,
           SYS_init_module,
           SYS_finit_module,
           SYS_delete_module,
           SYS_iopl,
           SYS_ioperm,
           SYS_modify_ldt,
           SYS_vhangup,
           SYS_fanotify_init,
           SYS_lookup_dcookie,
           SYS_personality,
           SYS_settimeofday,
           SYS_clock_settime,
           SYS_adjtimex,
           SYS_clock_adjtime}),
      // Files without a name: Landlock, which denies a VMM new files (vmm/os/landlock.h), does not see these made. The
      // last has its flags in memory, where no filter looks.
      {{.call = SYS_open, .tests = {{.argument = 1, .mask = kNameless, .value = kNameless}}},
       {.call = SYS_openat, .tests = {{.argument = 2, .mask = kNameless, .value = kNameless}}}},
      any({SYS_openat2}),
  });
}

}  // namespace qm::seccomp
