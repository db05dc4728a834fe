#include <map>
using std::map;
using namespace std::literals;
namespace fs = std::filesystem;

namespace outer::inner {
template <typename T, int N = 3, class... Rest>
class Table : public Base<T> {
 public:
  using value_type = T;
  template <typename Key>
  value_type* find(const Key& key, Rest&&... rest) const;
  [[deprecated("use find")]] T get(int at = N) { return items_[at]; }

 private:
  T items_[N];
};

template <>
struct hash<Table<int>> {
  size_t operator()(const Table<int>& table) const;
};

template <typename T, int N, class... Rest>
template <typename Key>
T* Table<T, N, Rest...>::find(const Key& key, Rest&&... rest) const {
  return items_ + key;
}

template <typename T>
concept Sized = requires(T value) { value.size(); };

namespace {
int hidden = 0;
static int also_hidden;
}  // namespace

extern "C" {
int exported(void);
}

template <Sized T>
auto visit(const map<int, T>& all) -> int {
  int total = 0;
  for (const auto& [key, value] : all) {
    auto add = [&total, step = key](int by) { return total += by * step; };
    total += add(static_cast<int>(value.size()));
  }
  if (auto found = all.find(1); found != all.end()) hidden++;
  try {
    Table<int> table(total);
    table.get<int>(total);
    delete new Table<int>{1, 2};
  } catch (const std::exception& error) {
    exported();
  }
  outer::inner::visit(all);
  return also_hidden;
}
}  // namespace outer::inner

namespace outer::inner {
int again() { return hidden; }
}  // namespace outer::inner
TEST_F(TableTest, Finds) { EXPECT_EQ(1, value_); }
