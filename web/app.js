// SPDX-License-Identifier: Apache-2.0
// The status page: asks the API every two seconds and shows what it says. The token stays in this tab (sessionStorage); it
// may come in the fragment (#token), which browsers do not send, and which is taken out of the address at once.
'use strict';

const kEvery = 2000;
const kDeadline = 5000;
const kToken = 'mysos-token';
let shownOrphans = '';  // an alert that did not change is not read out again
const byId = (id) => document.getElementById(id);

if (location.hash.length > 1) {
  sessionStorage.setItem(kToken, decodeURIComponent(location.hash.slice(1)));
  history.replaceState(null, '', location.pathname);
}

// An element with text; text is never taken for HTML.
function el(tag, text, className) {
  const node = document.createElement(tag);
  if (text !== undefined && text !== null) node.textContent = String(text);
  if (className) node.className = className;
  return node;
}

async function get(path) {
  const headers = {Authorization: `Bearer ${sessionStorage.getItem(kToken) ?? ''}`};
  const answer = await fetch(path, {headers, cache: 'no-store', signal: AbortSignal.timeout(kDeadline)});
  if (!answer.ok && answer.status !== 503) throw Object.assign(new Error(`${path}: ${answer.status}`), {status: answer.status});
  return answer.json();
}

function row(kind, cells) {
  const line = el('tr');
  for (const cell of cells) line.append(el(kind, cell.text ?? cell, cell.wide ? 'wide' : ''));
  return line;
}

// Empty of a member that is no replica.
function lagOf(member) {
  if (member.lag_ms === null) return member.role === 'replica' ? 'unknown' : '';
  return member.lag_ms < 0 ? '' : `${member.lag_ms} ms`;
}

function clusterView(cluster) {
  const box = el('article');
  const title = el('h2', cluster.name);
  title.append(el('span', cluster.state.replace('_', ' '), `state ${cluster.state}`));
  const size = cluster.size;
  box.append(title, el('p', `${cluster.version}, ${size.members} × ${size.cpus} CPU, ${size.mem} memory, ${size.disk} disk; ` +
    `epoch ${cluster.epoch}.${cluster.config}, ${cluster.mode}; primary at ${cluster.endpoints.primary ?? '(none)'}`, 'muted'));
  if (cluster.waiting_for) box.append(el('p', `Waiting for: ${cluster.waiting_for}`));
  const table = el('table');
  table.append(row('th', ['Member', 'Role', 'State', 'Address', 'Host', 'Lag', 'GTID', 'Problem']));
  for (const m of cluster.members) {
    table.append(row('td', [m.id, m.role, m.state, m.port ? `${m.host}:${m.port}` : '', m.hostname, lagOf(m),
      {text: m.gtid, wide: true}, {text: m.problem ?? '', wide: true}]));
  }
  box.append(table);
  return box;
}

// What carries Mysos' label and is of no cluster that the state knows: an alarm, one table per cluster, and what to type.
function orphansView({orphans, tasks}, clusters) {
  const inState = new Set(clusters.map((cluster) => cluster.id));
  const found = new Map();
  const add = (o, what) => {
    const key = o.cluster || o.cluster_name || '?';
    if (!found.has(key)) found.set(key, {name: o.cluster_name || 'unknown', id: o.cluster, rows: [], ids: []});
    found.get(key).rows.push(what);
    return found.get(key);
  };
  for (const t of tasks) add(t, [t.task, t.agent, `${t.state}${t.identified ? '' : ', has not said yet who it is'}`, '']);
  for (const o of orphans) {
    if (o.fate === 'unused') continue;
    const of = add(o, [o.member || o.id, o.hostname, o.fate === 'destroying' ? 'volume, is being destroyed' : 'volume, kept', o.disk]);
    if (o.fate === 'kept') of.ids.push(o.id);
  }
  return [...found.values()].map((cluster) => {
    const box = el('article');
    const title = el('h2', cluster.name);
    const known = inState.has(cluster.id);
    title.append(el('span', known ? 'left over' : 'not in the state', 'state unavailable'));
    box.append(title);
    if (known) {
      box.append(el('p', 'These volumes have the label of this cluster, but belong to none of its members any more. Mysos keeps them.'));
    } else {
      box.append(el('p', 'These tasks and volumes have the label of a cluster that the state does not know, so Mysos does not manage ' +
        'them. It neither stops nor destroys them. Take the cluster back:'),
        el('pre', `mysos orphans adopt ${cluster.id || cluster.name}`));
    }
    const table = el('table');
    table.append(row('th', ['Member or task', 'Agent', 'What', 'Size']), ...cluster.rows.map((cells) => row('td', cells)));
    box.append(table);
    if (cluster.ids.length > 0) {
      box.append(el('p', 'Or, if you do not need their data any more:'),
        el('pre', cluster.ids.map((id) => `mysos orphans destroy ${id}`).join('\n')));
    }
    return box;
  });
}

function eventView(event) {
  const line = el('li');
  line.append(el('time', event.time.replace('T', ' ').replace('Z', '')), ` ${event.cluster ?? ''} ${event.member ?? ''} `, el('strong', event.kind),
    ` ${event.message ?? ''}`, event.by ? ` (by ${event.by.who}${event.by.from ? ` from ${event.by.from}` : ''})` : '');
  return line;
}

function show(loggedIn) {
  byId('login').hidden = loggedIn;
  for (const id of ['orphans', 'clusters', 'log', 'forget']) byId(id).hidden = !loggedIn;
}

async function refresh() {
  try {
    const health = await get('/readyz');
    byId('health').textContent = health.status === 'ok' ? 'running' : `failing: Mesos ${health.mesos}, store ${health.store}`;
    if (!sessionStorage.getItem(kToken)) return show(false);
    const [{clusters}, {events}, orphans] =
      await Promise.all([get('/v1/clusters'), get('/v1/events?limit=50'), get('/v1/orphans')]);
    show(true);
    byId('refused').textContent = '';
    const news = JSON.stringify([orphans, clusters.map((cluster) => cluster.id)]);
    if (shownOrphans !== news) byId('orphans').replaceChildren(...orphansView(orphans, clusters));
    shownOrphans = news;
    byId('clusters').replaceChildren(...clusters.map(clusterView));
    if (clusters.length === 0) byId('clusters').append(el('p', 'No clusters yet. Create one: mysos create shop --wait'));
    byId('events').replaceChildren(...events.reverse().map(eventView));
  } catch (error) {
    if (error.status === 401) {
      sessionStorage.removeItem(kToken);
      byId('refused').textContent = 'Invalid token.';
      show(false);
    } else {
      byId('health').textContent = `no answer (${error.message})`;
    }
  }
}

byId('login').addEventListener('submit', (event) => {
  event.preventDefault();
  sessionStorage.setItem(kToken, byId('token').value.trim());
  byId('token').value = '';
  refresh();
});
byId('forget').addEventListener('click', () => {
  sessionStorage.removeItem(kToken);
  show(false);
});

async function loop() {
  await refresh();
  setTimeout(loop, kEvery);
}
loop();
