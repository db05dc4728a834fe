using System;
using System.Collections.Generic;
using static System.Math;
using Json = Newtonsoft.Json.Linq.JObject;
global using Solo;
extern alias Old;

namespace Shapes.Core
{
    using System.Linq;

    /// <summary>A shape.</summary>
    /// <remarks>More.</remarks>
    [Serializable, Obsolete("old")]
    public abstract partial class Shape<T> : Base, IDisposable, IEnumerable<T>, Outer.IThing where T : class, new()
    {
        /// <summary>Limit.</summary>
        public const int Max = 10, Min = 1;
        private static readonly List<T> cache = new List<T>();
        internal int a, b = Max;
        int value;
        public event EventHandler Changed, Removed;
        protected delegate void Notify(object sender, T item);

        public Shape(int a, params T[] rest) : base(a) { this.a = a; base.Run(); }
        static Shape() { }
        ~Shape() { Dispose(); }

        /// <summary>The color.</summary>
        [JsonProperty(Order = 1)]
        public Color Color { get; protected set; } = Color.Red;
        public int Value { get { return value; } set { a = value; Changed?.Invoke(this, EventArgs.Empty); } }
        public int Twice => value * 2;
        public T this[int index] { get => cache[index]; set => cache[index] = value; }
        public event EventHandler Custom { add { } remove { value.ToString(); } }

        public abstract void Draw();
        public virtual async Task<T> LoadAsync<U>(U u, int n = 1) where U : T { await Task.Delay(n); return default(T); }
        public static Shape<T> operator +(Shape<T> x, Shape<T> y) => x;
        public static implicit operator int(Shape<T> s) => s.a;
        void IDisposable.Dispose() { }
        public void Dispose() { Draw(); Dispose(true); Dispose(1, 2); Helper<int>(a); this.Helper<T>(b); Shape<T>.Make(); }
        protected virtual void Dispose(bool disposing) { }
        private void Helper<V>(int n) { }
        public static Shape<T> Make() { return null; }
        IEnumerable<int> Numbers() { yield return 1; }

        public enum Inner : byte { First = 1, Second = First }
        private struct Pair : IComparable { public readonly int x; public int CompareTo(object o) { return x; } }
    }

    public interface IFigure : IDisposable, ICloneable
    {
        double Area { get; }
        void Draw();
    }

    public record Person(string Name, int Age = 0) : Entity(Name), IFigure
    {
        public string Title { get; init; }
        public bool Adult() => Age >= 18 && Name != null;
    }

    public readonly record struct Point(int X, int Y);

    class Service(ILogger logger) : Handler(logger)
    {
        void Log() { logger.Write(logger.Level); }
    }

    public class Base { protected Base(int n) { } protected void Run() { } protected int total; }

    sealed class Derived : Base
    {
        public Derived() : base(1) { Run(); total = 1; base.Run(); }
        private void Run(int n) { }
        [Test] public void Testing() { }
        [Fact(Skip = "x")] internal void Checking() { }
    }

    enum Color { Red, Green }
}
