#include <memory>
#include "shape.h"
namespace shapes {
class Point;
// What all shapes have.
class API Shape {
 public:
  Shape() = default;
  explicit Shape(int id) : id_(id), name_{"shape"} {}
  virtual ~Shape();
  virtual double Area() const = 0;
  [[deprecated("use id")]] int Id() const { return id_; }
  static int Count() { return count_; }
  Shape& operator=(const Shape& other) = delete;
  operator bool() const { return id_ != 0; }
  double scale GUARDED_BY(mutex_) = 1.0;

 protected:
  int id_ = 0;
  const int limit_ = 10;
  static constexpr int kMax = 4;

 private:
  struct Node { Shape* shape; Node* next; };
  enum State { kOpen, kClosed };
  enum : int { kFirst = 1 };
  enum class Color { Red, Blue = 3 };
  friend class Point;
  static int count_;
  Node* head_ = nullptr;
  State state_ = kOpen;
};

int Shape::count_ = 0;
Shape::~Shape() { delete head_; }

struct Circle final : public Shape, private detail::Counted<Circle> {
  using Shape::Shape;
  using Radius = double;
  Circle(Radius radius) : Shape(1), radius_(radius) {}
  double Area() const override LOCKS_EXCLUDED(mutex_) { return radius_ * radius_ * scale; }
  bool operator()(const Circle& other) const { return other.radius_ < this->radius_; }
  void Paint(Color color = Color::Red) {
    id_ = Count() + Shape::Count();
    auto paint = [this, color](int depth) { return Area() + depth; };
    paint(kMax);
  }

 private:
  Radius radius_;
};

union Value { int number; char* text; };
int Outer::Inner::run() const { return value_; }
Shape* make(int kind) { return kind ? new Circle(2.0) : nullptr; }
}  // namespace shapes
TEST_F(ShapeTest, Area) { EXPECT_EQ(1, area_); }
