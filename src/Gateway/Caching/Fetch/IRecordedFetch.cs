namespace Gateway.Caching.Fetch;

/// <summary>What a <see cref="RecordingStream"/> records a response for.</summary>
internal interface IRecordedFetch
{
    /// <summary>Decides what becomes of the body. Called once, when status and fields stand and nothing has been sent.</summary>
    BodyHandling OnHeaders();

    /// <summary>Called once, when the first bytes are recorded, or the fields are sent before them.</summary>
    void OnBegun();

    /// <summary>Called once, when the recording outgrew its limits.</summary>
    void OnOutgrown();

    /// <summary>Ends the client's connection.</summary>
    void CutClient();
}
