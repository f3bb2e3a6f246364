using Npgsql;

namespace Turnpike.Storage.Postgres;

/// <summary>
/// Hears what other nodes notify (LISTEN), on a connection of its own that is opened again, less and less often, when it broke. What
/// was said while nobody listened is made up for by one call back after every connecting.
/// </summary>
internal sealed class PostgresListener : IDisposable
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(250), Longest = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource closing = new();
    private readonly NpgsqlDataSource data;
    private readonly string channel;
    private readonly Action<string> heard;
    private readonly Task listening;

    /// <param name="channel">An identifier.</param>
    public PostgresListener(NpgsqlDataSource data, string channel, Action<string> heard)
    {
        (this.data, this.channel, this.heard) = (data, channel, heard);
        listening = Task.Run(RunAsync);
    }

    public void Dispose()
    {
        closing.Cancel();
        listening.GetAwaiter().GetResult(); // it does not outlive the database, and does not wait for the server
        closing.Dispose();
    }

    private async Task RunAsync()
    {
        for (var pause = First; !closing.IsCancellationRequested; pause = pause * 2 < Longest ? pause * 2 : Longest)
        {
            try
            {
                await using var connection = await data.OpenConnectionAsync(closing.Token);
                connection.Notification += (_, said) => heard(said.Payload);
                await using var command = new NpgsqlCommand("set idle_session_timeout = 0; listen " + channel, connection);
                await command.ExecuteNonQueryAsync(closing.Token);
                heard("");
                pause = First;
                while (true) await connection.WaitAsync(closing.Token);
            }
            catch (Exception e) when (PostgresFault.Knows(e) || e is OperationCanceledException or InvalidOperationException)
            {
                // the look from time to time is the net
            }
            await Task.Delay(pause, TimeProvider.System, closing.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
