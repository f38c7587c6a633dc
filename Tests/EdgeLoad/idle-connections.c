#define _GNU_SOURCE
/* Idle connections to the edge, and the least a server can take that keeps them with the same TLS library.

   usage: idle-connections serve PORT CERTIFICATE KEY      one thread, OpenSSL on sockets, answers whatever comes
          idle-connections connect PORT COUNT tcp|tls|wss  each says OPTIONS once; "ready" when all were answered

   Built by edge-connections: cc idle-connections.c -lssl -lcrypto */
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static struct sockaddr_in local(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

/* As the edge sets them. */
static void harden(SSL_CTX *context) {
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
}

static void serve(int port, const char *certificate, const char *key) {
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    harden(context);
    if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1 || SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
        fail("certificate");
    struct sockaddr_in address = local(port);
    int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 1024) != 0) fail("listen");
    int queue = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(queue, EPOLL_CTL_ADD, listener, &event);
    static char bytes[16384];
    const char answer[] = "SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n";
    for (;;) {
        if (epoll_wait(queue, &event, 1, -1) < 1) continue;
        SSL *session = event.data.ptr;
        if (session == NULL) {
            int accepted = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
            if (accepted < 0) continue;
            session = SSL_new(context);
            SSL_set_fd(session, accepted);
            SSL_set_accept_state(session);
            struct epoll_event watched = {.events = EPOLLIN, .data.ptr = session};
            epoll_ctl(queue, EPOLL_CTL_ADD, accepted, &watched);
            continue;
        }
        ERR_clear_error();
        int count;
        while ((count = SSL_read(session, bytes, sizeof bytes)) > 0) SSL_write(session, answer, sizeof answer - 1);
        if (SSL_get_error(session, count) == SSL_ERROR_WANT_READ) continue;
        close(SSL_get_fd(session));
        SSL_free(session);
    }
}

struct client {
    int descriptor;
    SSL *session;
};

static void say(struct client *client, const void *bytes, size_t length) {
    int sent = client->session ? SSL_write(client->session, bytes, (int)length) : (int)send(client->descriptor, bytes, length, 0);
    if (sent != (int)length) fail("send");
}

static int hear(struct client *client, char *bytes, int room) {
    int count = client->session ? SSL_read(client->session, bytes, room) : (int)recv(client->descriptor, bytes, (size_t)room, 0);
    if (count <= 0) fail("receive");
    return count;
}

static void options(struct client *client, int port, int number, int is_framed) {
    char message[512], frame[600], answer[4096];
    int length = snprintf(
        message, sizeof message,
        "OPTIONS sip:127.0.0.1:%d SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK%d\r\nFrom: <sip:a@b>;tag=%d\r\nTo: <sip:a@b>\r\n"
        "Call-ID: idle-%d\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n", port, number, number, number);
    if (!is_framed) {
        say(client, message, (size_t)length);
    } else {
        /* RFC 6455 5.2: final, text, masked with zeros. */
        unsigned char head[] = {0x81, 0x80 | 126, (unsigned char)(length >> 8), (unsigned char)length, 0, 0, 0, 0};
        memcpy(frame, head, sizeof head);
        memcpy(frame + sizeof head, message, (size_t)length);
        say(client, frame, sizeof head + (size_t)length);
    }
    if (hear(client, answer, sizeof answer) < 12) fail("answer");
}

static void upgrade(struct client *client) {
    static const char request[] =
        "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGVzdCBwaG9uZSBub25jZQ==\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sip\r\n\r\n";
    char answer[4096];
    say(client, request, sizeof request - 1);
    if (hear(client, answer, sizeof answer) < 12 || memcmp(answer, "HTTP/1.1 101", 12) != 0) fail("upgrade");
}

static void run_clients(int port, int count, const char *transport) {
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    harden(context);
    int is_secure = strcmp(transport, "tcp") != 0, is_framed = strcmp(transport, "wss") == 0;
    for (int number = 0; number < count; number++) {
        struct sockaddr_in address = local(port);
        struct client client = {.descriptor = socket(AF_INET, SOCK_STREAM, 0)};
        if (client.descriptor < 0 || connect(client.descriptor, (struct sockaddr *)&address, sizeof address) != 0) fail("connect");
        if (is_secure) {
            client.session = SSL_new(context);
            SSL_set_fd(client.session, client.descriptor);
            if (SSL_connect(client.session) != 1) fail("handshake");
        }
        if (is_framed) upgrade(&client);
        options(&client, port, number, is_framed);
    }
    puts("ready");
    fflush(stdout);
    for (;;) pause();
}

int main(int count, char **words) {
    signal(SIGPIPE, SIG_IGN);
    if (count == 5 && strcmp(words[1], "serve") == 0) serve(atoi(words[2]), words[3], words[4]);
    if (count == 5 && strcmp(words[1], "connect") == 0) {
        run_clients(atoi(words[2]), atoi(words[3]), words[4]);
        return 0;
    }
    fputs("usage: idle-connections serve PORT CERTIFICATE KEY | connect PORT COUNT tcp|tls|wss\n", stderr);
    return 2;
}
