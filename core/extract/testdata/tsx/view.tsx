import * as React from "react";
import type { FC, ReactNode } from "react";

export interface ViewProps<T> {
  items: readonly T[];
  render?: (item: T) => ReactNode;
  onPick(item: T): void;
}

/** Shows them. */
export function View<T extends { id: string }>({ items, render = String, onPick }: ViewProps<T>) {
  const [picked, setPicked] = React.useState<T | null>(null);
  const pick = React.useCallback((item: T) => {
    setPicked(item);
    onPick(item);
  }, [onPick]);
  return (
    <ul>
      {items.map((item) => (
        <Row<T> key={item.id} value={item} onClick={() => pick(item)} active={item === picked}>
          {render(item)}
        </Row>
      ))}
    </ul>
  );
}

const Row = <T,>(props: { value: T; active: boolean; onClick(): void; children?: ReactNode }) => (
  <li onClick={props.onClick}>{props.children}</li>
);

export const Themed: FC<{ theme: Theme }> = React.memo(function Themed({ theme }) {
  return <Context.Provider value={theme satisfies Theme}>{theme!.name}</Context.Provider>;
});

type Theme = { name: string };
const Context = React.createContext<Theme>({ name: "plain" });

View.Row = Row;
View.defaults = function defaults() {
  return <View.Row />;
};
export default View;
