package scopes

var x, err = 1, error(nil)

func shadows(x int, in chan int) (y int, err error) {
	x, z := x+1, x
	if x := x * 2; x > z {
		x, w := x, x
		y = x + w
	} else if v, ok := any(x).(int); ok {
		y = v
	}
	for i, n := 0, x; i < n; i++ {
		y += i
	}
	for i := range x {
		i := i
		go func() { use(i) }()
	}
	for x = range in {
		use(x)
	}
	for range in {
	}
	y, err = both()
	var a, b = y, x
	const c = 1
	b++
	_, d := both()
	var p *int = &a
	*p = c + d
	return
}

func switches(v any, in, out chan int) {
	switch v := v.(type) {
	case nil:
	case int, *Local:
		use(v)
	default:
		use(v)
	}
	switch n := use(v); n {
	case 1:
		m := n
		use(m)
	case n + 1:
		goto done
	}
loop:
	for {
		select {
		case v, ok := <-in:
			if !ok {
				break loop
			}
			use(v)
		case v = <-in:
		case out <- 1:
			continue loop
		}
	}
done:
	type Local struct{ field int }
	l := Local{field: 1}
	use(l.field)
	f := func(l Local) (r int) { r = l.field; return }
	defer f(l)
	use(len(in), (*Local)(nil), []byte("x"), make(map[string]int))
}

func use(args ...any) int { return 0 }

func both() (int, error) { return 0, nil }
