import React, { useState } from "react";
import { Button as Base } from "./ui";

const div = "not the element";

/** Counts. */
export function Counter({ start = 0, label, ...rest }) {
  const [count, setCount] = useState(start);
  const onClick = () => setCount((old) => old + 1);
  return (
    <div className="counter" {...rest}>
      <Base onClick={onClick} aria-label={label} icon={<Icon name="up" />}>
        {count} {div}
      </Base>
      <Menu.Item key={count}>{label && <>{label}</>}</Menu.Item>
      <svg:path xlink:href="#x" />
    </div>
  );
}

Counter.displayName = "Counter";
Counter.Label = function Label() {
  return <Counter.Tag />;
};

export const Wrapped = React.memo(function Wrapped(props) {
  const { a } = props;
  return <Counter start={a} />;
});

export default React.forwardRef((props, ref) => <Wrapped ref={ref} {...props} />);
