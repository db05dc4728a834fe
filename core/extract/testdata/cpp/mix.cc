class LEVELDB_EXPORT Foo {
 public:
  Foo() = default;
  explicit Foo(int x) : x_(x), Base(1) {}
  virtual ~Foo();
  operator bool() const { return true; }
  bool operator==(const Foo& o) const;
  virtual void f() = 0;
 private:
  int x_;
};
class Bar : public Foo, private ns::Baz<int> { using Foo::f; friend class Z; friend void g(int x); public slots: void q(); };
TEST_F(FooTest, Works) { ASSERT_EQ(1, x_); }
void h() { std::string s(buf, len); Foo a(b); Foo c(b, 1); auto [p, q] = r; if (int z = 3; z > 2) {} 
 for (const auto& kv : map) {} static_cast<Foo*>(p); new Foo(1); auto l = [&, k = 1](int x) -> int { return x; }; }
template <typename T, int N = 3, class... A> T max(T a, A&&... r) requires C<T> { return a; }
void a::b::Foo::bar() const {}
int Foo::count = 0;
::ns::Thing* mk();
using a::b::C; using namespace std; using V = std::vector<int>; namespace fs = std::filesystem;
namespace { int hidden; }
namespace a::b { enum class E : int { A, B }; }
template <> struct hash<Foo> { };
