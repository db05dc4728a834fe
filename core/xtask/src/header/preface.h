/* bowstring.h: exchange Arrow tables with native engines, without copying them.
 *
 * Generated from the sources of the library; do not edit. SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Tables cross this boundary as the structs of the Arrow C Data Interface
 * (https://arrow.apache.org/docs/format/CDataInterface.html). Whoever holds a struct whose release callback is not
 * null owns it and calls release exactly once. A function that takes tables moves them: afterwards release is null
 * in the caller's structs, also when the function failed. A function that gives tables overwrites what the caller's
 * structs held and makes the caller the owner.
 *
 * Everything long-lived is named by a handle, a uint32_t that is never 0. A handle belongs to a context, and names
 * one kind of object there. A handle of something that is gone is recognised and answered with BOW_STALE_HANDLE.
 *
 * Every function but bow_abi_version and bow_lease_drop returns one of enum bow_status: BOW_OK, BOW_PENDING or
 * BOW_DONE, or from 16 up an error. Out parameters are written on BOW_OK only, unless the function says otherwise.
 * The last parameter, error, may be null; otherwise its size is set by the caller, and when the function fails it
 * receives the status and a message. Beside the statuses that a function lists, any function may answer
 * BOW_INVALID_ARGUMENT (a pointer is null or misaligned) and BOW_PANIC (a defect in the library; nothing is unwound
 * into the caller).
 *
 * Addresses of structs that may be anybody's are numbers, uintptr_t: 0 is none, and like a pointer one must be aligned.
 *
 * All functions may be called from any thread, at the same time. None of them calls back into the caller, except for
 * the callbacks of tables and streams that were given away, the functions that bow_call_start is given, and the waker
 * that bow_context_set_waker registers.
 *
 * The library must not be unloaded: release callbacks and native threads need its code.
 */
