class Widget
  def self.build
    new
  end

  def build
    self.class.build
    self.class.build.name
    self.class.missing
    other.class.build
  end
end

module Helpers
  def before; end

  module_function

  def shout(text)
    quiet(text)
  end

  def quiet(text); end
end

module Listed
  def one; end
  def two; end
  def three; end
  module_function :one, :two
  module_function def four; end
end

Helpers.shout("a")
Helpers.before
Listed.one
Listed.three
Listed.four

def pattern(config)
  case config
  in {name:, size: Integer => width}
    name * width
  in {kind: "x", **rest}
    rest
  in [first, *]
    first
  end
  config => {depth:}
  depth
end
