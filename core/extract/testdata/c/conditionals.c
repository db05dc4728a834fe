static const char *names[] = {
	"one",
#ifdef WITH_TWO
	"two",
#endif
	"three"
};

int open_file(const char *path
#ifdef WITH_FLAGS
	, int flags
#endif
	)
{
	int mode = 0;
#ifdef WITH_LOCK
	if (lock(path)) {
#else
	if (check(path)) {
#endif
		mode = 1;
	}
#if defined(WITH_CACHE) && CACHE_SIZE > 0
	if (cached(path))
		mode = 2;
	else
#endif
		mode = 3;
	switch (mode) {
#ifdef WITH_WHOLE
	case 1:
		return whole(mode);
#endif
	default:
		break;
	}
done:
#ifdef WITH_TRACE
	trace(path);
#endif
	return mode;
}
#ifdef __cplusplus
extern "C" {
#endif
int exported(void);
#ifdef __cplusplus
}
#endif
#if 0
this is { not code
#endif
