/* A browser starts no worker for a page that it reads from the disk. There, the search runs in a hidden frame. */
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super()
      this.frame = document.createElement("iframe")
      this.frame.hidden = true
      document.body.appendChild(this.frame)
      const inside = this.frame.contentWindow
      this.ready = new Promise(resolve => { inside.workerIsReady = resolve })
      inside.answer = data => this.dispatchEvent(new MessageEvent("message", { data }))
      inside.document.open()
      inside.document.write(`<!doctype html><body><script>
        postMessage = data => answer(data)
        importScripts = (...urls) => urls.reduce((before, url) => before.then(() => new Promise((done, failed) => {
          const script = document.createElement("script")
          script.src = url
          script.onload = done
          script.onerror = failed
          document.body.appendChild(script)
        })), Promise.resolve())
      <\/script><script src="${url}" onload="workerIsReady()"><\/script></body>`)
      inside.document.close()
    }

    postMessage(data) {
      this.ready.then(() => {
        const inside = this.frame.contentWindow
        inside.dispatchEvent(new inside.MessageEvent("message", { data }))
      })
    }

    terminate() {
      this.frame.remove()
    }
  }
}
