class Base {
  static count = 0;
  #secret = 1;
  plain;
  /** Keeps this. */
  handle = async (event) => {
    this.plain = event;
  };
  constructor() {
    this.run = this.run.bind(this);
    this.extra = this.#secret;
    Base.count++;
  }
  run() {
    return this.#hide();
  }
  #hide() {}
  get size() {
    return this.extra;
  }
  set size(value) {}
  static async *all() {}
  "quoted name"() {}
  [Symbol.iterator]() {}
  static {
    this.count = 1;
  }
}

class Derived extends Base {
  run() {
    return super.run() || this.size;
  }
}

const Named = class Inner extends Derived {
  again() {
    return new Inner();
  }
};

export default class extends Base {
  own() {
    this.run();
  }
}

const api = {
  url: "u",
  async get() {
    return this.url;
  },
  post: function () {
    return api.get();
  },
  put: async () => {},
  get size() {
    return 1;
  },
  nested: { deep() {} },
};
