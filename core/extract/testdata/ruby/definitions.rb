# frozen_string_literal: true

require "json"
require_relative "../helper"

# A module.
module Outer
  LIMIT = 10
  autoload :Late, "outer/late"

  # A class.
  class Base < Struct.new(:x)
    include Comparable
    extend Outer::Helpers

    attr_accessor :name, :size
    attr_reader :kind

    @@count = 0

    # Makes one.
    def initialize(name, *rest, key: LIMIT, &block)
      @name = name
      self.name = rest
      @@count += 1
      helper(key, &block)
    end

    def self.make(*args)
      new(*args).run
      build
    end

    class << self
      def build = make

      private

      def hidden; end
    end

    def to_s
      "#{name} #{@name} #{make} #{helper 1}"
    end

    def size=(value)
      @size = value
    end

    alias text to_s
    alias_method :string, :to_s

    protected

    def guarded; end

    private

    def helper(x)
      self.size = x
      name.each { |n| n }
    end

    attr_writer :secret

    public

    def open?; guarded; end

    private def inline; end

    def later; end
    private :later

    private_class_method :make
  end

  class Child < Base
    def run
      helper(1)
      self.class.make
      Base.make
      Base.new
      Outer::LIMIT
      LIMIT
    end
  end
end

class Outer::Base::Inner
  def go
    helper
  end
end

Point = Struct.new(:x, :y) do
  def length
    x + y
  end
end

def top(a)
  helper(a)
end

top 1
$global = 1
puts $global
