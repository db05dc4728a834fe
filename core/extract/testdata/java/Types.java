package com.example.shapes;

import java.util.List;
import java.util.Map.Entry;
import java.util.*;
import static java.lang.Math.max;

/** A shape. */
public abstract class Types<T extends Comparable<T>> extends Base implements Runnable, java.io.Closeable {
    /** How many. */
    @Deprecated
    private static final int MAX = 10, MIN = 1;
    protected List<T> items;
    int a, b[] = {MIN}, c = a;
    volatile Entry<String, T> entry;

    static { int local = MAX; }
    { a = 1; }

    public Types(List<T> items, int... rest) throws IOException { this.items = items; super.run(); }

    /** Goes. */
    @Override public abstract T go(final T t);

    public <R> R map(Map.Entry<T, R> f) { return f.getValue(); }

    @Test void testing() { go(null); this.map(entry); Types.of(max(1, 2)); new Inner().value(); }

    static <E> Types<E> of(int n) { return null; }

    class Inner { int value() { return a + Types.this.c; } }

    enum Color implements Runnable {
        /** Red. */
        RED(1) { @Override public void run() { paint(); } },
        GREEN;
        private final int code;
        Color(int... code) { this.code = code[0]; }
        Color() { this(0); }
        public void run() {}
        void paint() { switch (this) { case RED: break; default: } }
    }

    sealed interface Figure permits Square {
        double PI = 3.14;
        double area();
        default double twice() { return 2 * area(); }
    }

    record Square(double side, String... tags) implements Figure {
        Square { assert side > 0; }
        public double area() { return side * side() + PI; }
    }

    @interface Marker { int value() default MAX; Class<?>[] types(); }
}

class Base { protected void run() { helper(); } void helper() {} static class Nested {} }

class Derived extends Base {
    @Override protected void run() { super.run(); helper(); Nested n = new Nested(); }
    void helper(int n) {}
}
