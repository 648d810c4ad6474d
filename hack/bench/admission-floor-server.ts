/**
 * The least an admission server could do, as a process of its own: TLS, JSON in, JSON out, and everything is allowed. It
 * prints where it listens and its certificate as a line of JSON, and ends with its standard input.
 */

import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createServingCertificate } from '../../src/crypto/serving-certificate.ts';

const [servername = 'localhost'] = process.argv.slice(2);
const { certificatePem, privateKeyPem } = createServingCertificate({
  commonName: servername,
  dnsNames: [servername],
  nowMs: Date.now(),
  lifeMs: 86_400_000,
});

const server = createServer({ cert: certificatePem, key: privateKeyPem }, (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const review = JSON.parse(Buffer.concat(chunks).toString()) as { request: { uid: string } };
    const { uid } = review.request;
    const answer = {
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      response: { uid, allowed: true },
    };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ port, ca: certificatePem })}\n`);
});
process.stdin.resume().on('end', () => process.exit());
