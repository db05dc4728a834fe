module.exports = function main(argv) {
  return argv.length ? main(argv.slice(1)) : run();
};

async function* run() {
  yield* run();
}
