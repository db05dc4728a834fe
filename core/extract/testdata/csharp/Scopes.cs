namespace Scopes;

class Scopes
{
    int size;
    string Name { get; set; }

    void Blocks(IList<Scopes> all, out int result, ref int limit, Scopes other)
    {
        int count = Count(), size = this.size;
        for (int i = 0, n = size; i < n; i++) { count += i; }
        foreach (var size2 in all) { size2.Blocks(null, out result, ref limit, null); }
        foreach (var (x, y) in Pairs()) { Use(x, y); }
        using (var r = Open()) { r.Read(); }
        using var s = Open();
        try { throw new Exception(nameof(size)); }
        catch (IOException e) when (e.Code > 0) { Use(e); }
        finally { }
        if (int.TryParse("1", out var parsed) && Find(out Scopes found)) { Use(parsed, found); }
        (int a, string b) t = (1, "x");
        var (c, d) = t;
        (c, d) = (d, c);
        lock (this) { ++count; count--; limit = -count; }
        goto end;
    end:
        Use(c);
        int Local(int p) => p + size;
        Local(q: 1);
    }

    int Count() => 0;

    object Patterns(object o)
    {
        if (o is Scopes s && s.size > 0) Use(s);
        if (o is not string text) return null;
        switch (o)
        {
            case Scopes { size: 1, Name: var name } p when p.size > 1: return name;
            case int n: return n;
            case Color.Red: case Max: break;
        }
        return o switch { Point(var px, 0) => px, string z => z.Length, null => 0, _ => text };
    }

    void Lambdas()
    {
        Func<int, int> f = x => x + size;
        Func<int, int, int> g = (x, y) => { int size = x; return size + y; };
        Action h = delegate (int z) { Use(z); };
        var made = new Scopes { size = 1, Name = "x", Child = { size = 2 } };
        var anonymous = new { size = size, made.Name, f };
        int[] array = new int[size] { size, 1 };
        array[0] = made?.size ?? made?.Count() ?? 0;
        var copy = made with { Name = Name };
        var type = typeof(Dictionary<string, Scopes>).Name + default(Scopes) + (Scopes)null + (made as Scopes);
        Scopes.Static(); System.Console.WriteLine($"{size} {Name:x}"); global::System.GC.Collect();
    }

    static void Static() { }

    object Query(IEnumerable<Scopes> all, List<int> keys)
    {
        return from s in all
               join k in keys on s.size equals k into matches
               let n = matches.Count() + size
               where n > 1 && s.Name != null
               orderby s.Name, n descending
               group s by n into g
               select new { g.Key, Size = g.Count() };
    }

    void Use(params object[] all) { }
    bool Find(out Scopes s) { s = null; return true; }

#if DEBUG && !TRACE
    [Conditional("DEBUG")]
    unsafe void Debugging() { int* p = &size; fixed (int* q = array) { } }
#endif
}
