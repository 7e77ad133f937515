namespace Gateway.Benchmarks.Peers;

/// <summary>nginx as a caching proxy: one worker, set up as its documentation recommends for speed, no access log.</summary>
internal static class NginxServer
{
    /// <summary>The bytes of the page that nginx sends with a 302.</summary>
    public const int RedirectPageSize = 138;

    public static IEnumerable<string> Command(string folder, int port, int originPort, bool collapses = false)
    {
        var path = Path.Combine(folder, "nginx.conf");
        File.WriteAllText(path, Configuration(folder, port, originPort, collapses));
        return ["nginx", "-p", folder, "-e", "stderr", "-c", path];
    }

    private static string Configuration(string folder, int port, int originPort, bool collapses) => $$"""
        daemon off;
        worker_processes 1;
        pid {{folder}}/nginx.pid;
        error_log stderr error;
        {{(Environment.IsPrivilegedProcess ? "user root;" : "")}}
        events { worker_connections 1024; }
        http {
            access_log off;
            client_body_temp_path {{folder}}/body;
            proxy_temp_path {{folder}}/proxy;
            fastcgi_temp_path {{folder}}/fastcgi;
            uwsgi_temp_path {{folder}}/uwsgi;
            scgi_temp_path {{folder}}/scgi;
            proxy_cache_path {{folder}}/cache levels=1:2 keys_zone=bench:64m max_size=2g inactive=1h use_temp_path=off;
            sendfile on;
            tcp_nopush on;
            open_file_cache max=10000 inactive=1h;
            open_file_cache_valid 1h;
            upstream origin {
                server 127.0.0.1:{{originPort}};
                keepalive 64;
                keepalive_requests 100000000;
            }
            server {
                listen 127.0.0.1:{{port}};
                keepalive_requests 100000000;
                server_tokens off;
                location {{Servers.Content.LinkPath}} {
                    return 302 {{Servers.Content.LinkTarget}};
                }
                location / {
                    proxy_pass http://origin;
                    proxy_http_version 1.1;
                    proxy_set_header Connection "";
                    proxy_set_header Host $host;
                    proxy_cache bench;
                    proxy_cache_lock {{(collapses ? "on" : "off")}};
                }
            }
        }
        """;
}
