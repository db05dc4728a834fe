@sealed
export abstract class Service<C extends object> extends Base.Core<C> implements Api, Other<C> {
  static readonly instances = new Map<string, Service<any>>();
  declare name: string;
  protected readonly cache?: C;
  #key!: symbol;
  accessor level = 1;

  constructor(private readonly store: Store, public name2 = "x", protected override size?: number, plain?: C) {
    super(plain);
    this.store.get(this.name2);
    plain;
  }

  load(id: string): Promise<C>;
  load(id: number): Promise<C>;
  /** @deprecated */
  async load(@inject("id") id: any): Promise<C> {
    const self = this;
    list.forEach(function (this: Other<C>) {
      this.cache;
    });
    list.forEach(() => this.cache);
    return self.load(this.#key as any);
  }

  abstract find<K extends keyof C>(key: K): C[K] | this;

  @memo() private handle = async <T,>(value: T): Promise<T> => {
    return this.find(value as never);
  };

  get size2(): number {
    return Service.instances.size;
  }
  set size2(value) {}
  *[Symbol.iterator]() {}
}

class Child extends Service<{}> {
  find(key) {
    return super.find(key);
  }
  override load = function* () {};
}

export default function () {
  const made: Child = new Child(null!);
  return made!.load<number>(1);
}

const Mixed = class Inner {
  clone = () => new Inner();
};
