"use strict";

const fs = require("fs");
const { join, resolve: toAbsolute, posix: { sep } } = require("path");
var EventEmitter = require("events").EventEmitter,
  debug = require("debug")("app");

exports.first = exports.second = void 0;

/** Reads it. */
exports.read = function (path) {
  return fs.readFileSync(join(path, sep));
};
exports.later = async () => toAbsolute(".");
exports.LIMIT = 42;

/**
 * Writes it.
 * @deprecated use something else
 */
function write(path) {
  const os = require("os");
  return debug(path, os.EOL);
}
exports.write = write;

class Store extends EventEmitter {
  get() {
    return exports.read(this.path);
  }
}

function hidden() {}

module.exports = { Store, close: shut, hidden() { return hidden; } };
module.exports.extra = function extra() { return extra; };

function shut() {}
