/** A worker that sends back what it is sent. It can answer only if its module was evaluated before the message came. */

import { extractWorkspace } from "../../mod.ts";

const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent) => void;
  postMessage(message: unknown): void;
};

scope.onmessage = ({ data }) => scope.postMessage([data, typeof extractWorkspace]);
