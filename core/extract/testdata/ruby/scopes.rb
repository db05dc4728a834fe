count = 1
other = count

def method_with_locals(a, b = a, (c, d), k: b)
  first
  first = a
  first
  count
  x, (y, *z) = [1, 2]
  [x, y, z].each do |e; local|
    local = e
    inner = first
    inner ||= k
    inner
  end
  inner
  for i in z do print(i) end
  begin
    raise ArgumentError, "no"
  rescue ArgumentError, Net::Error => error
    warn error
  end
  add = ->(p, q = p) { p + q + c + d }
  add.call(1).(2)
  @ivar ||= first
  hash[x] = { key: x, "s" => y }
  obj.attr = x
  obj.attr += 1
end

case config
in {name: String => name, age:}
  puts name
in [Integer, last]
  puts last
end

class Test < ActiveSupport::TestCase
  setup do
    @user = users(:one)
  end

  test "the truth" do
    value = @user
    assert value
  end

  def test_it
    assert_equal LIMIT, @user
    yield
  end

  def self.shared
    @shared ||= new
  end

  def shared
    self.class.shared
    shared
  end

  included do
    validates :x
    def in_block; end
  end
end

describe "a thing" do
  let(:thing) { Thing.new(1) }

  it "works" do
    expect(thing).to eq(2)
  end
end
