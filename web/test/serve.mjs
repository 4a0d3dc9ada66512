// Serves folders of this machine to its own browsers.

import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { fileURLToPath } from "node:url";

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".json": "application/json",
  ".wasm": "application/wasm",
  ".png": "image/png",
  ".svg": "image/svg+xml",
};

/** The folder of the package. */
export const WEB = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");

/**
 * Serves the package at `/`, and other folders at their names.
 *
 * @param folders names with paths
 * @param port 0 for any
 */
export function serve(folders = {}, port = 0) {
  const server = http.createServer((request, response) => {
    const asked = decodeURIComponent(new URL(request.url, "http://localhost").pathname);
    const [, first, ...rest] = asked.split("/");
    const root = first in folders ? path.resolve(folders[first]) : WEB;
    let file = path.join(root, first in folders ? rest.join("/") : asked);
    if (file !== root && !file.startsWith(root + path.sep)) return response.writeHead(404).end();
    if (fs.existsSync(file) && fs.statSync(file).isDirectory()) {
      // relative links are relative to the folder
      if (!asked.endsWith("/")) return response.writeHead(301, { location: `${asked}/` }).end();
      file = path.join(file, "index.html");
    }
    if (!fs.existsSync(file)) return response.writeHead(404).end();
    response.writeHead(200, { "content-type": TYPES[path.extname(file)] ?? "application/octet-stream", "cache-control": "no-store" });
    fs.createReadStream(file).pipe(response);
    return undefined;
  });
  return new Promise((resolve, reject) => {
    server.on("error", reject);
    server.listen(port, "127.0.0.1", () => resolve({ server, url: `http://127.0.0.1:${server.address().port}` }));
  });
}

// `node test/serve.mjs [PORT]`
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { url } = await serve({}, Number(process.argv[2] ?? 8000));
  console.log(`${url}/page/`);
}
