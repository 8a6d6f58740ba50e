"""What a network is: snapshot, diff, scene and journey. Pure values, no kernel, no screen."""
