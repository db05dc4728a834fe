import main, { a as b, c } from "./mod.js";
import * as all from "./all.js";
export { b as renamed, late };
export { x, y as z, default as other } from "./re.js";
export * from "./star.js";
export * as names from "./names.js";

const late = hoisted(1);
function hoisted(n) {
  if (n) {
    var inside = n;
    let c = inside;
    c;
  }
  for (var i = 0; i < n; i++) {}
  for (var key in all) {}
  for (const item of all) {
    setTimeout(() => item + i);
  }
  for (n of all) {}
  return [inside, i, key, c, b];
}

function patterns({ one, two: { three = main }, ...rest }, [four, , five = four] = [], six = one) {
  ({ one, two: rest.seven } = six);
  try {
    outer: for (;;) {
      break outer;
    }
  } catch ({ message }) {
    return message ?? three;
  } finally {
    five;
  }
  switch (six) {
    case 1: {
      let six = 2;
      return six;
    }
  }
  return function fact(n) {
    return n ? n * fact(n - 1) : arguments.length;
  };
}

export const compute = memo(function compute(value) {
  const local = value;
  return local`text ${value}`;
});
export { late as default };
new.target;
import.meta.url;
