/*
 * Sends collectd-like messages over AMQP 1.0 as fast as the receiver takes them, waits until
 * each has its outcome and prints one line of JSON. The load of the benchmark: rhea as a sender
 * is too slow to load us.
 *
 *   proton-sender HOST PORT COUNT SIZE ADDRESS WINDOW
 *
 * SIZE is about that of each body in bytes (230 is what collectd sends); WINDOW is how many
 * messages may be unsettled. As the collectd plugin amqp1 does, the link has no target and the
 * address is in each message. Exit status: 0 when all have an outcome, 1 on a failure, 2 on wrong use.
 *
 *   gcc -O2 -o proton-sender proton-sender.c -lqpid-proton
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <fcntl.h>
#include <proton/connection.h>
#include <proton/connection_driver.h>
#include <proton/delivery.h>
#include <proton/event.h>
#include <proton/link.h>
#include <proton/message.h>
#include <proton/sasl.h>
#include <proton/session.h>
#include <proton/terminus.h>
#include <proton/transport.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define VARIANTS 997

struct encoded {
  char *bytes;
  size_t size;
};

static struct encoded variants[VARIANTS];
static long count, sent, accepted, released, rejected, settled;
static int window;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static void die(const char *what) {
  fprintf(stderr, "proton-sender: %s\n", what);
  exit(1);
}

/* Bodies differ in host, type and value, so that no cache anywhere can shine. */
static void make_variants(const char *address, size_t size) {
  static const char *plugins[] = {"cpu", "memory", "interface", "df", "load", "disk", "swap"};
  static const char *types[] = {"cpu", "memory", "if_octets", "df_complex", "load", "disk_ops", "swap"};
  static const char *instances[] = {"idle", "used", "free", "system", "user"};
  pn_message_t *message = pn_message();
  char *body = malloc(size + 512);
  if (!body) die("out of memory");
  for (int i = 0; i < VARIANTS; i++) {
    int used = snprintf(body, 512,
                        "[{\"values\":[%d.%d],\"dstypes\":[\"derive\"],\"dsnames\":[\"value\"],\"time\":%d.%03d,"
                        "\"interval\":10.000,\"host\":\"node-%d.example.org\",\"plugin\":\"%s\",\"plugin_instance\":\"%d\","
                        "\"type\":\"%s\",\"type_instance\":\"%s\"",
                        i * 31, i % 10, 1700000000 + i, i, i % 50, plugins[i % 7], i % 8, types[i % 7], instances[i % 5]);
    /* Made up to size with white space, which JSON allows there. */
    while ((size_t)used + 2 < size) body[used++] = ' ';
    body[used++] = '}';
    body[used++] = ']';
    pn_message_clear(message);
    pn_message_set_address(message, address);
    pn_data_t *data = pn_message_body(message);
    pn_data_put_binary(data, pn_bytes(used, body));
    variants[i].bytes = malloc(used + 512);
    if (!variants[i].bytes) die("out of memory");
    variants[i].size = used + 512;
    if (pn_message_encode(message, variants[i].bytes, &variants[i].size) != 0) die("cannot encode");
  }
  free(body);
  pn_message_free(message);
}

static int connect_to(const char *host, const char *port) {
  struct addrinfo hints = {0}, *found;
  hints.ai_socktype = SOCK_STREAM;
  if (getaddrinfo(host, port, &hints, &found) != 0) die("no such host");
  int fd = socket(found->ai_family, found->ai_socktype, found->ai_protocol);
  if (fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen) != 0) die("cannot connect");
  freeaddrinfo(found);
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  return fd;
}

static void pump(pn_link_t *sender) {
  while (sent < count && sent - settled < window && pn_link_credit(sender) > 0) {
    long tag = sent;
    struct encoded *variant = &variants[sent % VARIANTS];
    pn_delivery(sender, pn_dtag((const char *)&tag, sizeof tag));
    pn_link_send(sender, variant->bytes, variant->size);
    pn_link_advance(sender);
    sent++;
  }
}

static void outcome(pn_delivery_t *delivery) {
  if (!pn_delivery_updated(delivery) || !pn_delivery_remote_state(delivery)) return;
  switch (pn_delivery_remote_state(delivery)) {
  case PN_ACCEPTED: accepted++; break;
  case PN_REJECTED: rejected++; break;
  case PN_RELEASED:
  case PN_MODIFIED: released++; break;
  default: return;
  }
  settled++;
  pn_delivery_settle(delivery);
}

int main(int argc, char **argv) {
  if (argc != 7) {
    fprintf(stderr, "usage: proton-sender HOST PORT COUNT SIZE ADDRESS WINDOW\n");
    return 2;
  }
  count = atol(argv[3]);
  window = atoi(argv[6]);
  if (count <= 0 || window <= 0) {
    fprintf(stderr, "COUNT and WINDOW must be above 0\n");
    return 2;
  }
  make_variants(argv[5], (size_t)atol(argv[4]));
  int fd = connect_to(argv[1], argv[2]);
  pn_connection_driver_t driver;
  if (pn_connection_driver_init(&driver, NULL, NULL) != 0) die("out of memory");
  pn_sasl_allowed_mechs(pn_sasl(driver.transport), "ANONYMOUS");
  pn_connection_set_container(driver.connection, "proton-sender");
  pn_connection_set_hostname(driver.connection, argv[1]);
  pn_connection_open(driver.connection);
  pn_session_t *session = pn_session(driver.connection);
  pn_session_open(session);
  pn_link_t *sender = pn_sender(session, "proton-sender");
  pn_link_set_snd_settle_mode(sender, PN_SND_UNSETTLED);
  pn_link_open(sender);
  double start = 0, end = 0;
  int closing = 0, failed = 0;
  while (!pn_connection_driver_finished(&driver)) {
    pn_event_t *event;
    while ((event = pn_connection_driver_next_event(&driver)) != NULL) {
      switch (pn_event_type(event)) {
      case PN_LINK_FLOW:
        if (start == 0) start = now();
        pump(sender);
        break;
      case PN_DELIVERY:
        outcome(pn_event_delivery(event));
        break;
      case PN_LINK_REMOTE_CLOSE:
      case PN_CONNECTION_REMOTE_CLOSE:
      case PN_TRANSPORT_ERROR:
        if (!closing) {
          pn_condition_t *condition = pn_event_type(event) == PN_LINK_REMOTE_CLOSE
                                          ? pn_link_remote_condition(pn_event_link(event))
                                      : pn_event_type(event) == PN_CONNECTION_REMOTE_CLOSE
                                          ? pn_connection_remote_condition(driver.connection)
                                          : pn_transport_condition(driver.transport);
          const char *name = pn_condition_get_name(condition);
          fprintf(stderr, "proton-sender: the peer closed: %s\n", name ? name : "no reason given");
          failed = 1;
          pn_connection_close(driver.connection);
        }
        break;
      default:
        break;
      }
    }
    if (!closing && !failed) {
      pump(sender);
      if (settled == count) {
        end = now();
        closing = 1;
        pn_connection_close(driver.connection);
      }
    }
    pn_bytes_t out = pn_connection_driver_write_buffer(&driver);
    pn_rwbytes_t in = pn_connection_driver_read_buffer(&driver);
    if (out.size == 0 && in.size == 0) {
      if (pn_connection_driver_has_event(&driver)) continue;
      break;
    }
    struct pollfd p = {fd, (short)((out.size > 0 ? POLLOUT : 0) | (in.size > 0 ? POLLIN : 0)), 0};
    if (poll(&p, 1, 30000) == 0) die("nothing moved for 30 s");
    if ((p.revents & (POLLIN | POLLHUP | POLLERR)) && in.size > 0) {
      ssize_t n = recv(fd, in.start, in.size, 0);
      if (n > 0) pn_connection_driver_read_done(&driver, n);
      else if (n == 0 || (errno != EAGAIN && errno != EINTR)) pn_connection_driver_read_close(&driver);
    }
    if ((p.revents & POLLOUT) && out.size > 0) {
      ssize_t n = send(fd, out.start, out.size, MSG_NOSIGNAL);
      if (n > 0) pn_connection_driver_write_done(&driver, n);
      else if (errno != EAGAIN && errno != EINTR) pn_connection_driver_write_close(&driver);
    }
  }
  if (end == 0) end = now();
  printf("{\"sent\":%ld,\"accepted\":%ld,\"released\":%ld,\"rejected\":%ld,\"seconds\":%.6f}\n", sent, accepted, released,
         rejected, start == 0 ? 0 : end - start);
  pn_connection_driver_destroy(&driver);
  close(fd);
  return settled == count ? 0 : 1;
}
