// Search in pages that are opened from disk. Browsers start no worker there, so a hidden frame runs
// the worker's script. The name of this file keeps the theme from loading such a script from a server.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      frame.srcdoc = "<!doctype html><body></body>";
      this.started = new Promise((resolve) => {
        frame.onload = () => {
          const inner = frame.contentWindow;
          const load = (address) =>
            new Promise((loaded, failed) => {
              const script = inner.document.createElement("script");
              Object.assign(script, { src: address, onload: loaded, onerror: failed });
              inner.document.body.append(script);
            });
          inner.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
          inner.importScripts = async (...addresses) => {
            for (const address of addresses) await load(address);
          };
          load(url).then(() => resolve(inner));
        };
      });
      document.body.append(frame);
    }

    async postMessage(data) {
      const inner = await this.started;
      inner.dispatchEvent(new MessageEvent("message", { data }));
    }
  };
}
