/* SPDX-License-Identifier: ISC
 *
 * Whether KVM can run guests here.
 */
#ifndef TENDER_COMMON_KVM_H
#define TENDER_COMMON_KVM_H

/* Makes a virtual machine that executes one instruction of SSE, which every guest needs: some hosts, virtual machines
 * themselves, have a /dev/kvm that only interprets, and cannot. NULL when all is well, else why not; fix: what puts it
 * right, or NULL. Both live for ever. */
const char *kvm_problem(const char **fix);

#endif
