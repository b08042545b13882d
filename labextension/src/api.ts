// The server's side of nb2pkg, as src/nb2pkg/jupyter/openapi.json describes it.

import { URLExt } from '@jupyterlab/coreutils';
import { INotebookContent } from '@jupyterlab/nbformat';
import { ServerConnection } from '@jupyterlab/services';

export interface ISection {
  name: string;
  title: string;
  kind: string;
  reason: string;
  /** The stage that it went into: another than its own where the boundary could not be kept. */
  stage: string;
  cells: number[];
  line: number;
}

export interface IDiagnostic {
  code: string;
  severity: 'info' | 'warning' | 'error';
  cell: number | null;
  line: number | null;
  message: string;
}

export interface ICrossing {
  from: string;
  to: string;
  names: string[];
}

export interface IConstant {
  name: string;
  value: string;
  cell: number;
  stages: string[];
}

export interface IPlan {
  package: string;
  notebook: string;
  stages: { name: string; title: string }[];
  sections: ISection[];
  crossings: ICrossing[];
  constants: IConstant[];
  diagnostics: IDiagnostic[];
}

export interface IOptions {
  package?: string;
  git?: boolean;
  overwrite?: boolean;
  seed?: number;
  verify?: boolean;
  profile?: boolean;
}

export interface IEquivalence {
  equivalent: boolean;
  summary: string;
  differences: string[];
  report: string;
}

export interface IResult {
  package: string;
  stages: string[];
  diagnostics: IDiagnostic[];
  out: string;
  readme: string;
  equivalence?: IEquivalence | null;
}

export interface IJob {
  id: string;
  notebook: string;
  out: string;
  state: 'queued' | 'running' | 'done' | 'failed' | 'cancelled';
  progress: { step?: string; done?: number; total?: number; detail?: string };
  result: IResult | null;
  error: { message: string; code?: string; cell?: number | null } | null;
}

/** The server said no, and why. */
export class Refused extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly code = '',
    readonly cell: number | null = null
  ) {
    super(message);
  }
}

/** The server did not answer at all. */
export class Unreachable extends Error {}

export class Api {
  constructor(private settings: ServerConnection.ISettings) {}

  /** Whether the server has nb2pkg; asking has it get ready. */
  async available(): Promise<boolean> {
    try {
      await this.ask('GET', ['openapi.json']);
      return true;
    } catch (error) {
      return !(error instanceof Refused && error.status === 404);
    }
  }

  plan(path: string, content: INotebookContent | null, options: IOptions = {}): Promise<IPlan> {
    return this.ask('POST', ['plan'], { path, content, options });
  }

  export(path: string, content: INotebookContent | null, out: string, options: IOptions): Promise<IJob> {
    return this.ask('POST', ['jobs'], { path, content, out, options });
  }

  async jobs(): Promise<IJob[]> {
    return (await this.ask<{ jobs: IJob[] }>('GET', ['jobs'])).jobs;
  }

  job(id: string): Promise<IJob> {
    return this.ask('GET', ['jobs', id]);
  }

  end(id: string): Promise<void> {
    return this.ask('DELETE', ['jobs', id]);
  }

  async archive(id: string): Promise<Blob> {
    return (await this.response('GET', ['jobs', id, 'archive'])).blob();
  }

  private async ask<T>(method: string, parts: string[], body?: unknown): Promise<T> {
    const text = await (await this.response(method, parts, body)).text();
    return (text ? JSON.parse(text) : null) as T;
  }

  private async response(method: string, parts: string[], body?: unknown): Promise<Response> {
    const url = URLExt.join(this.settings.baseUrl, 'nb2pkg', ...parts);
    const init: RequestInit = { method };
    if (body !== undefined) {
      init.body = JSON.stringify(body);
    }
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(url, init, this.settings);
    } catch (error) {
      throw new Unreachable(String(error));
    }
    if (!response.ok) {
      const text = await response.text();
      let said: { message?: string; code?: string; cell?: number | null } = {};
      try {
        said = JSON.parse(text);
      } catch {
        // a proxy's page, not an answer of ours
      }
      throw new Refused(said.message || response.statusText || text, response.status, said.code, said.cell ?? null);
    }
    return response;
  }
}
