import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { within } from './pace.js';

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/** A monitor of jobs, as healthchecks.io is one, which answers as it is told to. */
export type Monitor = Awaited<ReturnType<typeof openMonitor>>;

/** Answers with a status. */
export function status(code: number, headers: Record<string, string> = {}): Answer {
    return (response) => void response.writeHead(code, headers).end('OK');
}

export async function openMonitor() {
    const heard: string[] = [];
    const news = new EventEmitter();
    const answers: Answer[] = [];
    const server = createServer(async (request, response) => {
        const body = await text(request).catch(() => '');
        heard.push(`${request.method} ${request.url}${body && ` ${body}`}`);
        (answers.length > 1 ? answers.shift() : answers[0])?.(response, request);
        news.emit('news');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return {
        port,
        /** What it has been asked for, with bodies. */
        heard,
        /** How it answers from now on, request by request; the last answer stands. None: it never answers. */
        answer(...next: Answer[]) {
            answers.splice(0, answers.length, ...next);
        },
        async hears(count: number) {
            const all = async () => {
                while (heard.length < count) await once(news, 'news');
            };
            await within(all(), () => `${count} requests, there are ${heard.join(', ')}`);
        },
        close() {
            server.closeAllConnections();
            server.close();
        },
    };
}
