// What the grammar takes for something else.
export interface Channel<in out A, out B = never> extends Source<A>, Sink<B> {
  readonly fees?: import("./fees").Fees<A> | undefined;
  next: B;
}
export class Cell<in T> {
  value: T;
}
type Plain<out extends string> = out;
