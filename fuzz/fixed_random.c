/* Gives a process the same random bytes in every run. Which way a fuzzer goes depends on them: hash maps
   walk in an order that they choose, handshakes carry them. fuzz/run loads this before libc. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>

/* SplitMix64, a byte of each number. */
ssize_t getrandom(void *buffer, size_t length, unsigned int flags) {
    static uint64_t state;
    (void)flags;
    for (size_t at = 0; at < length; at++) {
        uint64_t mixed = (state += 0x9e3779b97f4a7c15);
        mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
        ((unsigned char *)buffer)[at] = (unsigned char)(mixed ^ (mixed >> 31));
    }
    return (ssize_t)length;
}

/* Some crates ask the kernel without libc's function. */
long syscall(long number, ...) {
    static long (*next)(long, ...);
    long given[6];
    va_list rest;
    va_start(rest, number);
    for (int at = 0; at < 6; at++)
        given[at] = va_arg(rest, long);
    va_end(rest);
    if (number == SYS_getrandom)
        return getrandom((void *)given[0], (size_t)given[1], (unsigned int)given[2]);
    if (!next)
        next = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
    return next(number, given[0], given[1], given[2], given[3], given[4], given[5]);
}
