// SIP over WebSocket (RFC 7118) for the pages here: a connection, digest with SHA-256 (RFC 7616), requests and their answers, replies.
// A page includes it, calls `open` with what it does with requests, and reports each step to the server it came from.
const given = new URLSearchParams(location.search)
const [server, user, password, domain] = ['server', 'user', 'password', 'domain'].map(name => given.get(name))
const random = () => crypto.randomUUID().replaceAll('-', '')
const host = random().slice(0, 12) + '.invalid' // a browser does not know its address (RFC 7118 §5)
const contact = `<sip:${user}@${host};transport=ws>`
const [callID, fromTag] = [random(), random()]
const waiting = new Map() // answers to our requests, by branch
let [socket, sequence] = [null, 0]

let reports = Promise.resolve() // in order
const report = text => reports = reports.then(() => fetch('/report', { method: 'POST', body: text }))

const hash = async text => [...new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))]
    .map(byte => byte.toString(16).padStart(2, '0')).join('')

function parse(text) {
    const end = text.indexOf('\r\n\r\n')
    const [start, ...lines] = text.slice(0, end).split('\r\n')
    const headers = lines.map(line => [line.slice(0, line.indexOf(':')).trim().toLowerCase(), line.slice(line.indexOf(':') + 1).trim()])
    const all = name => headers.filter(header => header[0] === name).map(header => header[1])
    const status = start.startsWith('SIP/2.0 ') ? Number(start.split(' ')[1]) : 0
    return { start, all, first: name => all(name)[0], status, method: start.split(' ')[0], body: text.slice(end + 4) }
}

const branchOf = message => message.first('via').match(/branch=([^;,\s]+)/)[1]
const withBody = body => [...(body ? ['Content-Type: application/sdp'] : []), `Content-Length: ${new TextEncoder().encode(body).length}`, '', body]

function send(method, uri, { to, id = callID, from = fromTag, headers = [], body = '', number = ++sequence, branch = 'z9hG4bK' + random() }) {
    socket.send([`${method} ${uri} SIP/2.0`, `Via: SIP/2.0/WSS ${host};branch=${branch};rport`, 'Max-Forwards: 70',
        `From: <sip:${user}@${domain}>;tag=${from}`, `To: ${to}`, `Call-ID: ${id}`, `CSeq: ${number} ${method}`, 'User-Agent: page',
        ...headers, ...withBody(body)].join('\r\n'))
    return branch
}

function request(method, uri, headers = [], more = {}) {
    return new Promise((resolve, reject) => {
        const branch = send(method, uri, { to: `<sip:${user}@${domain}>`, headers, ...more })
        const timer = setTimeout(() => reject(new Error(`no answer to ${method}`)), 15000)
        waiting.set(branch, message => {
            clearTimeout(timer)
            waiting.delete(branch)
            resolve(message)
        })
    })
}

// A request with credentials, once it is known what for.
async function authenticated(method, uri, headers, more = {}) {
    const challenge = await request(method, uri, headers, more)
    if (challenge.status !== 401 && challenge.status !== 407) return challenge
    if (method === 'INVITE') acknowledge(uri, challenge, more)
    const [asked, answered] = challenge.status === 401 ? ['www-authenticate', 'Authorization'] : ['proxy-authenticate', 'Proxy-Authorization']
    const offers = challenge.all(asked)
    const offer = offers.find(value => /algorithm=SHA-256\b/i.test(value))
    if (!offer) throw new Error('no SHA-256 among ' + offers.join(' | '))
    const [realm, nonce] = ['realm', 'nonce'].map(name => offer.match(new RegExp(name + '="([^"]*)"'))[1])
    const [count, clientNonce] = ['00000001', random()]
    const ha1 = await hash(`${user}:${realm}:${password}`)
    const ha2 = await hash(`${method}:${uri}`)
    const response = await hash(`${ha1}:${nonce}:${count}:${clientNonce}:auth:${ha2}`)
    return request(method, uri, [...headers, `${answered}: Digest username="${user}", realm="${realm}", nonce="${nonce}", ` +
        `uri="${uri}", response="${response}", algorithm=SHA-256, qop=auth, nc=${count}, cnonce="${clientNonce}"`], more)
}

const register = expires => authenticated('REGISTER', `sip:${domain}`, [`Contact: ${contact};expires=${expires}`, 'Supported: path, outbound'])

// The ACK of a refusal goes the way of its INVITE.
function acknowledge(uri, refusal, more) {
    send('ACK', uri, { to: refusal.first('to'), id: more.id, from: more.from, branch: branchOf(refusal), number: parseInt(refusal.first('cseq')) })
}

const tagged = (value, tag) => /;tag=/.test(value) ? value : value + ';tag=' + tag

function reply(message, status, headers = [], body = '') {
    socket.send([`SIP/2.0 ${status}`, ...message.all('via').map(via => 'Via: ' + via),
        ...message.all('record-route').map(route => 'Record-Route: ' + route), 'From: ' + message.first('from'),
        'To: ' + tagged(message.first('to'), fromTag), 'Call-ID: ' + message.first('call-id'), 'CSeq: ' + message.first('cseq'), ...headers,
        ...withBody(body)].join('\r\n'))
}

// Connects; `requested` is given every request that comes.
async function open(requested) {
    socket = new WebSocket(server, 'sip')
    socket.onmessage = event => {
        if (!event.data.trim()) return // a keep-alive's answer
        const message = parse(event.data)
        if (!message.status) requested(message)
        else if (message.status >= 200) waiting.get(branchOf(message))?.(message)
    }
    await new Promise((resolve, reject) => {
        socket.onopen = resolve
        socket.onerror = () => reject(new Error('the WebSocket does not open'))
        socket.onclose = event => reject(new Error('the WebSocket was closed with ' + event.code))
    })
    socket.onclose = event => report('failed: the WebSocket was closed with ' + event.code)
}

const failed = error => report('failed: ' + error.message)
