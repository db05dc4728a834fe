/** Makes points. */
function Point(x, y) {
  /** Across. */
  this.x = x;
  this.y = y;
  function helper() {
    this.x = 2;
  }
  helper();
}

/** Sums up. */
Point.prototype.sum = function sum() {
  const that = this;
  [1].forEach(function () {
    this.y;
  });
  [1].forEach(function () {
    this.y;
  }.bind(this));
  [1].forEach(function () {
    this.y;
  }, this);
  return this.x + this.y + that.x;
};
Point.prototype.double = function () {
  return this.sum() * 2;
};
Point.origin = function () {
  return new Point(0, 0);
};
Point.origin();

const Shapes = {};
Shapes.area = (shape) => Shapes.side(shape);
Shapes.side = function* () {};

var Circle = function (r) {
  this.r = r;
};
Circle.prototype.grow = function () {
  this.r += 1;
};
