/* Sets the clocks of one process by the two numbers (nanoseconds, int64) in the file that CHAOS_CLOCK names, read anew
 * each time: by the first the wall clock is wrong, by the second time has passed, on the wall clock and on the monotonic
 * one alike. What waits until a time of such a clock waits as long as it would have without.
 * gcc -shared -fPIC -O2 -o clock.so clock.c; LD_PRELOAD=clock.so */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000

static const volatile int64_t *offsets_ns;

__attribute__((constructor)) static void open_offsets(void) {
  const char *path = getenv("CHAOS_CLOCK");
  int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  if (file < 0) return;
  void *shared = mmap(NULL, 2 * sizeof *offsets_ns, PROT_READ, MAP_SHARED, file, 0);
  if (shared != MAP_FAILED) offsets_ns = shared;
  close(file);
}

static int64_t offset_of(clockid_t clock) {
  if (!offsets_ns) return 0;
  switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE: return offsets_ns[0] + offsets_ns[1];
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_BOOTTIME: return offsets_ns[1];
    default: return 0; /* of processes and threads: what was really spent */
  }
}

static struct timespec moved(struct timespec time, int64_t by_ns) {
  int64_t ns = (int64_t)time.tv_sec * SECOND + time.tv_nsec + by_ns;
  return (struct timespec){.tv_sec = ns / SECOND, .tv_nsec = ns % SECOND};
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  int failed = syscall(SYS_clock_gettime, clock, now);
  if (!failed) *now = moved(*now, offset_of(clock));
  return failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  struct timespec fine;
  (void)zone;
  if (clock_gettime(CLOCK_REALTIME, &fine)) return -1;
  now->tv_sec = fine.tv_sec;
  now->tv_usec = fine.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *out) {
  struct timespec fine;
  if (clock_gettime(CLOCK_REALTIME, &fine)) return (time_t)-1;
  if (out) *out = fine.tv_sec;
  return fine.tv_sec;
}

int sem_clockwait(sem_t *restrict semaphore, clockid_t clock, const struct timespec *restrict until) {
  static int (*real)(sem_t *, clockid_t, const struct timespec *);
  if (!real) real = (int (*)(sem_t *, clockid_t, const struct timespec *))dlsym(RTLD_NEXT, "sem_clockwait");
  struct timespec really = moved(*until, -offset_of(clock));
  return real(semaphore, clock, &really);
}

int pthread_cond_clockwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex, clockid_t clock,
                           const struct timespec *restrict until) {
  static int (*real)(pthread_cond_t *, pthread_mutex_t *, clockid_t, const struct timespec *);
  if (!real)
    real = (int (*)(pthread_cond_t *, pthread_mutex_t *, clockid_t, const struct timespec *))dlsym(
        RTLD_NEXT, "pthread_cond_clockwait");
  struct timespec really = moved(*until, -offset_of(clock));
  return real(condition, mutex, clock, &really);
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *until, struct timespec *left) {
  static int (*real)(clockid_t, int, const struct timespec *, struct timespec *);
  if (!real)
    real = (int (*)(clockid_t, int, const struct timespec *, struct timespec *))dlsym(RTLD_NEXT, "clock_nanosleep");
  struct timespec really = flags & TIMER_ABSTIME ? moved(*until, -offset_of(clock)) : *until;
  return real(clock, flags, &really, left);
}
