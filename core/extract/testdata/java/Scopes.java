package scopes;

class Scopes {
    int size;
    String name;

    int size() { return size; }
    Scopes name(String name) { this.name = name; return name(name); }
    Scopes name(String name, int size) { return name(name).name(name, size()); }
    void name(Object... parts) {}

    void blocks(List<Scopes> all) {
        int count = count(), size = this.size;
        for (int i = 0, n = size; i < n; i++) { count += i; }
        for (Scopes size : size.children) { size.size(); }
        int i = count;
        loop: while (true) { if (i++ > 0) break loop; else continue loop; }
        try (Reader in = open(i); in) { in.read(); } catch (IOException | Error e) { throw e; } finally { close(); }
        do { Object o = all.get(i); } while (i < 1);
        synchronized (this) { String o = null; }
    }

    int count() { return 0; }

    void patterns(Object o) {
        if (o instanceof String s && s.length() > 1) { use(s); }
        if (!(o instanceof Point(int x, var y))) return;
        use(x, y);
        int r = switch (o) {
            case Integer n when n > size -> n;
            case Point p -> { yield p.x; }
            case RED, Color.GREEN -> 1;
            default -> 0;
        };
    }

    void use(Object... all) {}

    void lambdas() {
        Function<String, Integer> f = s -> s.length();
        BiFunction<Integer, Integer, Integer> g = (x, y) -> x + y;
        Runnable r = () -> { int size = 1; use(size); };
        Comparator<String> c = new Comparator<String>() {
            int calls;
            @Override public int compare(String x, String y) { calls++; this.calls = size; return name.length(); }
        };
        Supplier<Scopes> m = Scopes::new, k = this::self;
        list.<String>stream().map(Scopes::count).forEach(System.out::println);
        class Local { int size() { return size; } }
        new Local().size();
        int[] array = new int[size], other = {1, size};
        array[size] = (int) other[0];
        Outer.Inner inner = outer.new Inner();
        String text = Scopes.class.getName() + Scopes.super.toString();
    }
}
